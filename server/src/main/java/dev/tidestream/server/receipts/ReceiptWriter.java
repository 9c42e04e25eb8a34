package dev.tidestream.server.receipts;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;

import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.engine.Evidence;

/**
 * The payload of a receipt.
 *
 * <pre>
 * {"receipt": 1, "iat": seconds since 1970, "server": string, "key": string?,
 *  "model":     {"name", "sha256", "prompts_sha256"},
 *  "precision": {"activations", "head_activations", "kv_type", "weights"},
 *  "weights":   {"policy": "pin" | "follow", "kv": "keep" | "recompute", "accepted_version": integer,
 *                "spans": [{"from", "to", "version", "updates_sha256", "head_mode"}, …]},
 *  "prompt":    {"tokens": integer, "sha256", "text_sha256"?, "parse_special": boolean, "rendered_at"?},
 *  "output":    {"tokens": integer, "sha256", "finish_reason": "stop" | "length" | "cancelled"},
 *  "max_tokens": integer, "stop": [string, …],
 *  "sampling":  as in generate, every field; "seed" is a decimal string beyond ±(2^53-1)}
 * </pre>
 */
final class ReceiptWriter {
    /** What {@code receipt} says. */
    static final int FORMAT = 1;

    private static final JsonFactory JSON = new JsonFactory();

    private ReceiptWriter() {}

    static byte[] bytes(Receipt receipt) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (JsonGenerator g = JSON.createGenerator(out)) { // UTF-8
            g.writeStartObject();
            fields(g, receipt);
            g.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private static void fields(JsonGenerator g, Receipt r) throws IOException {
        Evidence e = r.evidence();
        g.writeNumberField("receipt", FORMAT);
        g.writeNumberField("iat", r.issuedS());
        g.writeStringField("server", r.server());
        if (r.keyName() != null) {
            g.writeStringField("key", r.keyName());
        }
        g.writeObjectFieldStart("model");
        g.writeStringField("name", r.model().name());
        g.writeStringField("sha256", r.model().sha256());
        g.writeStringField("prompts_sha256", r.model().promptsSha256());
        g.writeEndObject();
        g.writeObjectFieldStart("precision");
        for (Map.Entry<String, String> entry : new TreeMap<>(r.precision()).entrySet()) {
            g.writeStringField(entry.getKey(), entry.getValue());
        }
        g.writeEndObject();
        weights(g, r);
        g.writeObjectFieldStart("prompt");
        g.writeNumberField("tokens", e.promptTokens());
        g.writeStringField("sha256", e.promptSha256());
        if (e.textSha256() != null) {
            g.writeStringField("text_sha256", e.textSha256());
        }
        g.writeBooleanField("parse_special", e.parseSpecial());
        if (e.renderedAt() != null) {
            g.writeStringField("rendered_at", e.renderedAt().toString());
        }
        g.writeEndObject();
        g.writeObjectFieldStart("output");
        g.writeNumberField("tokens", e.outputTokens());
        g.writeStringField("sha256", e.outputSha256());
        g.writeStringField("finish_reason", r.finish().name().toLowerCase(Locale.ROOT));
        g.writeEndObject();
        g.writeNumberField("max_tokens", e.maxTokens());
        g.writeFieldName("stop");
        g.writeArray(e.stop().toArray(new String[0]), 0, e.stop().size());
        sampling(g, e.sampling());
    }

    private static void weights(JsonGenerator g, Receipt r) throws IOException {
        Evidence e = r.evidence();
        g.writeObjectFieldStart("weights");
        g.writeStringField("policy", e.weights().follows() ? "follow" : "pin");
        g.writeStringField("kv", e.weights() == WeightsPolicy.FOLLOW_AND_RECOMPUTE ? "recompute" : "keep");
        g.writeNumberField("accepted_version", e.acceptedVersion());
        g.writeArrayFieldStart("spans");
        for (int i = 0; i < e.spans().size(); i++) {
            Evidence.Span span = e.spans().get(i);
            g.writeStartObject();
            g.writeNumberField("from", span.from());
            g.writeNumberField("to", span.to());
            g.writeNumberField("version", span.weightsVersion());
            g.writeStringField("updates_sha256", r.updatesSha256().get(i));
            g.writeStringField("head_mode", span.headMode());
            g.writeEndObject();
        }
        g.writeEndArray();
        g.writeEndObject();
    }

    private static void sampling(JsonGenerator g, SamplingOptions s) throws IOException {
        g.writeObjectFieldStart("sampling");
        g.writeNumberField("temperature", s.temperature());
        g.writeNumberField("top_k", s.topK());
        g.writeNumberField("top_p", s.topP());
        g.writeNumberField("min_p", s.minP());
        g.writeNumberField("repetition_penalty", s.repetitionPenalty());
        g.writeNumberField("presence_penalty", s.presencePenalty());
        g.writeNumberField("frequency_penalty", s.frequencyPenalty());
        g.writeObjectFieldStart("logit_bias");
        for (Map.Entry<Integer, Float> bias : new TreeMap<>(s.logitBias()).entrySet()) {
            g.writeNumberField(bias.getKey().toString(), bias.getValue());
        }
        g.writeEndObject();
        long seed = s.seed().orElseThrow();
        if (Math.abs(seed) <= Protocol.MAX_SAFE_INTEGER && seed != Long.MIN_VALUE) {
            g.writeNumberField("seed", seed);
        } else {
            g.writeStringField("seed", Long.toString(seed));
        }
        g.writeEndObject();
    }
}

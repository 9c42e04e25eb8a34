package dev.tidestream.protocol;

import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

import com.fasterxml.jackson.core.JsonGenerator;

import dev.tidestream.protocol.options.Priority;
import dev.tidestream.protocol.options.StreamOptions;
import dev.tidestream.protocol.options.WeightsWish;

/** Writes messages field by field; a token frame costs its characters and nothing else. */
final class Encoder {
    private Encoder() {}

    static void write(JsonGenerator g, ServerMessage message) throws IOException {
        g.writeStartObject();
        switch (message) {
            case ServerMessage.Token t -> token(g, t);
            case ServerMessage.Accepted a -> accepted(g, a);
            case ServerMessage.Progress p -> {
                head(g, "progress", p.id());
                g.writeNumberField("prefilled", p.prefilled());
                g.writeNumberField("of", p.of());
            }
            case ServerMessage.Finished f -> finished(g, f);
            case ServerMessage.Failed f -> {
                g.writeStringField("type", "failed");
                if (f.id() != null) {
                    g.writeStringField("id", f.id());
                }
                g.writeStringField("code", f.code().wireName());
                g.writeStringField("message", f.message());
                if (f.retryAfterMs() != null) {
                    g.writeNumberField("retry_after_ms", f.retryAfterMs());
                }
            }
            case ServerMessage.WeightsChanged w -> {
                g.writeStringField("type", "weights_changed");
                g.writeNumberField("weights_version", w.weightsVersion());
            }
        }
        g.writeEndObject();
    }

    static void write(JsonGenerator g, ClientMessage message) throws IOException {
        g.writeStartObject();
        switch (message) {
            case ClientMessage.Generate m -> generate(g, m);
            case ClientMessage.Credit m -> {
                head(g, "credit", m.id());
                g.writeNumberField("n", m.n());
            }
            case ClientMessage.Cancel m -> head(g, "cancel", m.id());
            case ClientMessage.Resume m -> {
                head(g, "resume", m.id());
                g.writeStringField("stream", m.stream());
                g.writeNumberField("after_seq", m.afterSeq());
                if (m.credit().isPresent()) {
                    g.writeNumberField("credit", m.credit().getAsInt());
                }
            }
            case ClientMessage.Watch m -> {
                g.writeStringField("type", "watch");
                g.writeBooleanField("weights", m.weights());
            }
        }
        g.writeEndObject();
    }

    private static void head(JsonGenerator g, String type, String id) throws IOException {
        g.writeStringField("type", type);
        g.writeStringField("id", id);
    }

    private static void token(JsonGenerator g, ServerMessage.Token t) throws IOException {
        head(g, "token", t.id());
        g.writeNumberField("seq", t.seq());
        g.writeNumberField("token", t.token());
        g.writeStringField("text", t.text());
        g.writeNumberField("weights_version", t.weightsVersion());
        if (t.logprob() != null) {
            g.writeNumberField("logprob", finite(t.logprob()));
        }
        if (!t.topLogprobs().isEmpty()) {
            g.writeArrayFieldStart("top_logprobs");
            for (TopLogprob candidate : t.topLogprobs()) {
                g.writeStartObject();
                g.writeNumberField("token", candidate.token());
                g.writeNumberField("logprob", finite(candidate.logprob()));
                g.writeEndObject();
            }
            g.writeEndArray();
        }
    }

    /** JSON has no -Infinity: the logarithm of a probability that rounds to 0 becomes the lowest float. */
    private static float finite(float logprob) {
        return Math.max(logprob, -Float.MAX_VALUE);
    }

    private static void accepted(JsonGenerator g, ServerMessage.Accepted a) throws IOException {
        head(g, "accepted", a.id());
        g.writeNumberField("stream", a.stream());
        seed(g, a.seed());
        g.writeNumberField("weights_version", a.weightsVersion());
        g.writeNumberField("prompt_tokens", a.promptTokens());
        if (a.resume() != null) {
            g.writeStringField("resume", a.resume());
        }
    }

    private static void seed(JsonGenerator g, long seed) throws IOException {
        if (seed >= -Protocol.MAX_SAFE_INTEGER && seed <= Protocol.MAX_SAFE_INTEGER) {
            g.writeNumberField("seed", seed);
        } else {
            g.writeStringField("seed", Long.toString(seed));
        }
    }

    private static void finished(JsonGenerator g, ServerMessage.Finished f) throws IOException {
        head(g, "finished", f.id());
        g.writeStringField("reason", f.reason().name().toLowerCase(Locale.ROOT));
        g.writeObjectFieldStart("usage");
        g.writeNumberField("prompt_tokens", f.usage().promptTokens());
        g.writeNumberField("completion_tokens", f.usage().completionTokens());
        if (f.usage().cachedTokens() > 0) {
            g.writeNumberField("cached_tokens", f.usage().cachedTokens());
        }
        g.writeEndObject();
        g.writeObjectFieldStart("timing");
        g.writeNumberField("queue_ms", thousandths(f.timing().queueMs()));
        g.writeNumberField("first_token_ms", thousandths(f.timing().firstTokenMs()));
        g.writeNumberField("total_ms", thousandths(f.timing().totalMs()));
        g.writeNumberField("tokens_per_s", thousandths(f.timing().tokensPerS()));
        g.writeEndObject();
        if (f.receipt() != null) {
            g.writeStringField("receipt", f.receipt());
        }
        if (f.adapter() != null) {
            g.writeObjectFieldStart("adapter");
            g.writeStringField("name", f.adapter().name());
            g.writeStringField("sha256", f.adapter().sha256());
            g.writeEndObject();
        }
    }

    private static double thousandths(double value) {
        return Math.rint(value * 1000) / 1000;
    }

    private static void generate(JsonGenerator g, ClientMessage.Generate m) throws IOException {
        head(g, "generate", m.id());
        if (m.prompt() != null) {
            g.writeStringField("prompt", m.prompt());
        }
        if (!m.messages().isEmpty()) {
            g.writeArrayFieldStart("messages");
            for (ChatMessage message : m.messages()) {
                g.writeStartObject();
                g.writeStringField("role", message.role());
                g.writeStringField("content", message.content());
                g.writeEndObject();
            }
            g.writeEndArray();
        }
        if (m.parseSpecial()) {
            g.writeBooleanField("parse_special", true);
        }
        int[] tokens = m.tokens();
        if (tokens != null) {
            g.writeFieldName("tokens");
            g.writeArray(tokens, 0, tokens.length);
        }
        g.writeNumberField("max_tokens", m.maxTokens());
        if (!m.sampling().equals(SamplingOptions.DEFAULT)) {
            sampling(g, m.sampling());
        }
        if (!m.stop().isEmpty()) {
            g.writeArrayFieldStart("stop");
            for (String stop : m.stop()) {
                g.writeString(stop);
            }
            g.writeEndArray();
        }
        if (m.topLogprobs() >= 0) {
            g.writeNumberField("logprobs", m.topLogprobs());
        }
        if (m.weights() != WeightsPolicy.PIN) {
            g.writeStringField("weights", "follow");
        }
        if (m.options().wish().version() != WeightsWish.ANY) {
            g.writeNumberField("weights", m.options().wish().version());
        }
        if (m.options().wish().atLeast() != WeightsWish.ANY) {
            g.writeNumberField("min_version", m.options().wish().atLeast());
        }
        if (m.weights() == WeightsPolicy.FOLLOW_AND_RECOMPUTE) {
            g.writeStringField("kv", "recompute");
        }
        if (m.credit().isPresent()) {
            g.writeNumberField("credit", m.credit().getAsInt());
        }
        options(g, m.options());
    }

    private static void options(JsonGenerator g, StreamOptions options) throws IOException {
        if (options.resumable()) {
            g.writeBooleanField("resumable", true);
        }
        if (options.receipt()) {
            g.writeBooleanField("receipt", true);
        }
        if (options.urgency().priority() != Priority.INTERACTIVE) {
            g.writeStringField("priority", options.urgency().priority().wireName());
        }
        if (options.urgency().hasDeadline()) {
            g.writeNumberField("deadline_ms", options.urgency().deadlineMs());
        }
        if (options.adapter() != null) {
            g.writeStringField("adapter", options.adapter());
        }
        if (options.traceparent() != null) {
            g.writeStringField("traceparent", options.traceparent());
        }
        if (options.tracestate() != null) {
            g.writeStringField("tracestate", options.tracestate());
        }
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
        if (!s.logitBias().isEmpty()) {
            g.writeObjectFieldStart("logit_bias");
            for (Map.Entry<Integer, Float> bias : new TreeMap<>(s.logitBias()).entrySet()) {
                g.writeNumberField(bias.getKey().toString(), bias.getValue());
            }
            g.writeEndObject();
        }
        if (s.seed().isPresent()) {
            seed(g, s.seed().getAsLong());
        }
        g.writeEndObject();
    }
}

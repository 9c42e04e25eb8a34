package dev.tidestream.server.receipts;

import java.io.IOException;
import java.time.LocalDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.engine.Evidence;

/** Reads what {@link ReceiptWriter} writes; it was signed, so that it is judged only for being complete. */
final class ReceiptReader {
    private static final ObjectMapper JSON = StrictJson.mapper();

    private ReceiptReader() {}

    static Receipt read(byte[] payload) throws ReceiptException {
        JsonNode root;
        try {
            root = JSON.readTree(payload);
        } catch (IOException e) {
            throw new ReceiptException("the payload is not JSON", e);
        }
        if (root == null || !root.isObject()) {
            throw new ReceiptException("the payload is no JSON object");
        }
        long format = integer(root, "receipt");
        if (format != ReceiptWriter.FORMAT) {
            throw new ReceiptException("a receipt of another kind: receipt=%d, known=%d".formatted(format, ReceiptWriter.FORMAT));
        }
        JsonNode model = root.path("model");
        JsonNode weights = root.path("weights");
        List<String> updates = new ArrayList<>();
        Evidence evidence = evidence(root, spans(weights, updates));
        return new Receipt(integer(root, "iat"), text(root, "server"), root.has("key") ? text(root, "key") : null,
                new Receipt.Model(text(model, "name"), text(model, "sha256"), text(model, "prompts_sha256")),
                precision(root.path("precision")), evidence, updates, finish(text(root.path("output"), "finish_reason")));
    }

    private static Evidence evidence(JsonNode root, List<Evidence.Span> spans) throws ReceiptException {
        JsonNode prompt = root.path("prompt");
        JsonNode output = root.path("output");
        JsonNode weights = root.path("weights");
        List<String> stop = new ArrayList<>();
        for (JsonNode entry : root.path("stop")) {
            stop.add(entry.asText());
        }
        return new Evidence(number(prompt, "tokens"), text(prompt, "sha256"),
                prompt.has("text_sha256") ? text(prompt, "text_sha256") : null, prompt.path("parse_special").asBoolean(),
                time(prompt, "rendered_at"),
                number(root, "max_tokens"), sampling(root.path("sampling")), stop, policy(weights), integer(weights, "accepted_version"),
                spans, number(output, "tokens"), text(output, "sha256"));
    }

    private static List<Evidence.Span> spans(JsonNode weights, List<String> updates) throws ReceiptException {
        List<Evidence.Span> spans = new ArrayList<>();
        for (JsonNode entry : weights.path("spans")) {
            spans.add(new Evidence.Span(number(entry, "from"), number(entry, "to"), integer(entry, "version"), text(entry, "head_mode")));
            updates.add(text(entry, "updates_sha256"));
        }
        return spans;
    }

    private static WeightsPolicy policy(JsonNode weights) throws ReceiptException {
        boolean recompute = text(weights, "kv").equals("recompute");
        return !text(weights, "policy").equals("follow") ? WeightsPolicy.PIN
                : recompute ? WeightsPolicy.FOLLOW_AND_RECOMPUTE : WeightsPolicy.FOLLOW;
    }

    private static Map<String, String> precision(JsonNode node) {
        Map<String, String> precision = new LinkedHashMap<>();
        node.properties().forEach(field -> precision.put(field.getKey(), field.getValue().asText()));
        return precision;
    }

    private static SamplingOptions sampling(JsonNode s) throws ReceiptException {
        Map<Integer, Float> bias = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : s.path("logit_bias").properties()) {
            try {
                bias.put(Integer.valueOf(entry.getKey()), (float) entry.getValue().asDouble());
            } catch (NumberFormatException e) {
                throw new ReceiptException("the payload's logit_bias has a name that is no token", e);
            }
        }
        return new SamplingOptions(real(s, "temperature"), number(s, "top_k"), real(s, "top_p"), real(s, "min_p"),
                real(s, "repetition_penalty"), real(s, "presence_penalty"), real(s, "frequency_penalty"), bias, OptionalLong.of(seed(s)));
    }

    private static long seed(JsonNode sampling) throws ReceiptException {
        if (!sampling.path("seed").isTextual()) {
            return integer(sampling, "seed");
        }
        try {
            return Long.parseLong(sampling.path("seed").textValue());
        } catch (NumberFormatException e) {
            throw new ReceiptException("the payload's seed is no number", e);
        }
    }

    private static FinishReason finish(String reason) throws ReceiptException {
        for (FinishReason known : FinishReason.values()) {
            if (known.name().toLowerCase(Locale.ROOT).equals(reason)) {
                return known;
            }
        }
        throw new ReceiptException("the payload's finish_reason is none that is known");
    }

    private static String text(JsonNode node, String field) throws ReceiptException {
        if (!node.path(field).isTextual()) {
            throw missing(field, "a string");
        }
        return node.path(field).textValue();
    }

    private static @Nullable LocalDateTime time(JsonNode node, String field) throws ReceiptException {
        try {
            return node.has(field) ? LocalDateTime.parse(text(node, field)) : null;
        } catch (DateTimeParseException e) {
            throw new ReceiptException("the payload's %s must be a local date and time as ISO 8601 has it".formatted(field), e);
        }
    }

    private static long integer(JsonNode node, String field) throws ReceiptException {
        JsonNode value = node.path(field);
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw missing(field, "an integer");
        }
        return value.longValue();
    }

    private static int number(JsonNode node, String field) throws ReceiptException {
        long value = integer(node, field);
        if (value < 0 || value > Integer.MAX_VALUE) {
            throw missing(field, "a number of things");
        }
        return (int) value;
    }

    private static float real(JsonNode node, String field) throws ReceiptException {
        if (!node.path(field).isNumber()) {
            throw missing(field, "a number");
        }
        return node.path(field).floatValue();
    }

    private static ReceiptException missing(String field, String what) {
        return new ReceiptException("the payload's %s must be %s".formatted(field, what));
    }
}

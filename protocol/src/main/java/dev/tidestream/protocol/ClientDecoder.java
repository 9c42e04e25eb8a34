package dev.tidestream.protocol;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.options.Priority;
import dev.tidestream.protocol.options.StreamOptions;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.protocol.options.WeightsWish;

/** From the tree of a client's frame to its message; strict. */
final class ClientDecoder {
    private static final Set<String> GENERATE = Set.of(
            "type", "id", "prompt", "messages", "parse_special", "special", "tokens", "max_tokens", "sampling", "stop", "logprobs", "weights",
            "min_version", "kv", "credit", "resumable", "receipt", "priority", "deadline_ms", "adapter", "traceparent",
            "tracestate");
    private static final Set<String> SAMPLING = Set.of(
            "temperature",
            "top_k",
            "top_p",
            "min_p",
            "repetition_penalty",
            "presence_penalty",
            "frequency_penalty",
            "logit_bias",
            "seed");
    private static final Set<String> MESSAGE = Set.of("role", "content");
    private static final int MAX_ROLE_CHARS = 64;
    private static final Set<String> CREDIT = Set.of("type", "id", "n");
    private static final Set<String> CANCEL = Set.of("type", "id");
    private static final Set<String> RESUME = Set.of("type", "id", "stream", "after_seq", "credit");
    private static final Set<String> WATCH = Set.of("type", "weights");
    private static final Pattern TOKEN_ID = Pattern.compile("0|[1-9][0-9]{0,9}");

    private final Limits limits;

    ClientDecoder(Limits limits) {
        this.limits = limits;
    }

    ClientMessage decode(String type, Fields message) throws ProtocolException {
        return switch (type) {
            case "generate" -> generate(message);
            case "credit" -> {
                message.allowOnly(CREDIT);
                yield new ClientMessage.Credit(id(message), message.integer("n", 1, Integer.MAX_VALUE));
            }
            case "cancel" -> {
                message.allowOnly(CANCEL);
                yield new ClientMessage.Cancel(id(message));
            }
            case "resume" -> {
                message.allowOnly(RESUME);
                yield new ClientMessage.Resume(
                        id(message),
                        message.text("stream", 1, Protocol.MAX_ID_CHARS),
                        message.integer("after_seq", -1, Integer.MAX_VALUE - 1),
                        credit(message));
            }
            case "watch" -> {
                message.allowOnly(WATCH);
                yield new ClientMessage.Watch(truth(message, "weights", message.required("weights")));
            }
            default -> throw FrameReader.unknownType(message, type);
        };
    }

    private static boolean truth(Fields message, String field, JsonNode node) throws ProtocolException {
        if (!node.isBoolean()) {
            throw message.wrongType(field, "a boolean", node);
        }
        return node.booleanValue();
    }

    /** {@code special} is another name for it; with both, they must say the same. */
    private static boolean parseSpecial(Fields message) throws ProtocolException {
        JsonNode node = message.optional("parse_special");
        JsonNode other = message.optional("special");
        if (node == null && other == null) {
            return false;
        }
        String name = node == null ? "special" : "parse_special";
        boolean asked = truth(message, name, node == null ? Objects.requireNonNull(other) : node);
        if (node != null && other != null && truth(message, "special", other) != asked) {
            throw message.error(ErrorCode.INVALID_VALUE, "special", "special is another name for parse_special, and they differ");
        }
        if (!message.has("prompt")) {
            throw message.error(ErrorCode.INVALID_VALUE, name, name + " goes with prompt only");
        }
        return asked;
    }

    private static String id(Fields message) throws ProtocolException {
        return message.text("id", 1, Protocol.MAX_ID_CHARS);
    }

    private ClientMessage generate(Fields message) throws ProtocolException {
        message.allowOnly(GENERATE);
        String id = id(message);
        if (message.has("prompt") && message.has("tokens")) {
            throw message.error(ErrorCode.INVALID_VALUE, "prompt", "prompt and tokens: give one of them, not both");
        }
        if (message.has("messages") && (message.has("prompt") || message.has("tokens"))) {
            throw message.error(ErrorCode.INVALID_VALUE, "messages", "messages, prompt and tokens: give one of them, not two");
        }
        String prompt = message.has("tokens") || message.has("messages") ? null : message.text("prompt", 0, limits.messageChars());
        return new ClientMessage.Generate(
                id,
                prompt,
                messages(message),
                parseSpecial(message),
                tokens(message),
                message.integer("max_tokens", 1, limits.maxTokens(), Math.min(Protocol.DEFAULT_MAX_TOKENS, limits.maxTokens())),
                message.has("sampling") ? sampling(message.object("sampling")) : SamplingOptions.DEFAULT,
                stop(message),
                logprobs(message),
                weights(message),
                credit(message),
                options(message));
    }

    private static StreamOptions options(Fields message) throws ProtocolException {
        return new StreamOptions(
                message.has("resumable") && truth(message, "resumable", message.required("resumable")),
                receipt(message),
                urgency(message),
                message.has("adapter") ? message.text("adapter", 1, Protocol.MAX_ID_CHARS) : null,
                message.has("traceparent") ? message.text("traceparent", 0, Protocol.MAX_TRACE_CHARS) : null,
                message.has("tracestate") ? message.text("tracestate", 0, Protocol.MAX_TRACE_CHARS) : null,
                wish(message));
    }

    private static boolean receipt(Fields message) throws ProtocolException {
        boolean wanted = message.has("receipt") && truth(message, "receipt", message.required("receipt"));
        if (wanted && message.has("adapter")) {
            throw message.error(ErrorCode.INVALID_VALUE, "receipt",
                    "receipt does not go with adapter: receipts are of streams of the model alone");
        }
        return wanted;
    }

    private static Urgency urgency(Fields message) throws ProtocolException {
        boolean batch = isSecond(message, "priority", Priority.INTERACTIVE.wireName(), Priority.BATCH.wireName());
        int deadlineMs = message.has("deadline_ms") ? message.integer("deadline_ms", 1, Protocol.MAX_DEADLINE_MS) : 0;
        if (deadlineMs > 0 && message.has("resumable") && truth(message, "resumable", message.required("resumable"))) {
            throw message.error(ErrorCode.INVALID_VALUE, "deadline_ms",
                    "deadline_ms does not go with resumable: a stream that can be resumed is kept until its client comes");
        }
        return new Urgency(batch ? Priority.BATCH : Priority.INTERACTIVE, deadlineMs);
    }

    private static OptionalInt credit(Fields message) throws ProtocolException {
        return message.has("credit") ? OptionalInt.of(message.integer("credit", 0, Integer.MAX_VALUE)) : OptionalInt.empty();
    }

    private List<ChatMessage> messages(Fields message) throws ProtocolException {
        JsonNode array = message.optional("messages");
        if (array == null) {
            return List.of();
        }
        if (!array.isArray()) {
            throw message.wrongType("messages", "an array of objects", array);
        }
        if (array.isEmpty()) {
            throw message.outOfRange("messages", "of at least one message", array);
        }
        List<ChatMessage> messages = new ArrayList<>(array.size());
        for (JsonNode node : array) {
            String path = "messages[" + messages.size() + "]";
            if (!node.isObject()) {
                throw message.wrongType(path, "an object", node);
            }
            Fields fields = message.nested(node, path);
            fields.allowOnly(MESSAGE);
            messages.add(new ChatMessage(fields.text("role", 1, MAX_ROLE_CHARS), fields.text("content", 0, limits.messageChars())));
        }
        return messages;
    }

    private static int @Nullable [] tokens(Fields message) throws ProtocolException {
        JsonNode array = message.optional("tokens");
        if (array == null) {
            return null;
        }
        if (!array.isArray()) {
            throw message.wrongType("tokens", "an array of integers", array);
        }
        if (array.isEmpty()) {
            throw message.outOfRange("tokens", "of at least one token", array);
        }
        int[] tokens = new int[array.size()];
        int i = 0;
        for (JsonNode token : array) {
            if (!token.isInt() || token.intValue() < 0) {
                throw token.isIntegralNumber()
                        ? message.outOfRange("tokens[" + i + "]", "in 0.." + Integer.MAX_VALUE, token)
                        : message.wrongType("tokens[" + i + "]", "an integer", token);
            }
            tokens[i++] = token.intValue();
        }
        return tokens;
    }

    private static SamplingOptions sampling(Fields s) throws ProtocolException {
        s.allowOnly(SAMPLING);
        SamplingOptions d = SamplingOptions.DEFAULT;
        return new SamplingOptions(
                s.number("temperature", 0f, false, 100f, d.temperature()),
                s.integer("top_k", 0, Integer.MAX_VALUE, d.topK()),
                s.number("top_p", 0f, true, 1f, d.topP()),
                s.number("min_p", 0f, false, 1f, d.minP()),
                s.number("repetition_penalty", 0f, true, 100f, d.repetitionPenalty()),
                s.number("presence_penalty", -100f, false, 100f, d.presencePenalty()),
                s.number("frequency_penalty", -100f, false, 100f, d.frequencyPenalty()),
                s.has("logit_bias") ? logitBias(s.object("logit_bias")) : Map.of(),
                s.seed("seed"));
    }

    private static Map<Integer, Float> logitBias(Fields bias) throws ProtocolException {
        String path = "sampling.logit_bias";
        if (bias.node().size() > Protocol.MAX_LOGIT_BIAS) {
            throw bias.error(
                    ErrorCode.INVALID_VALUE,
                    path,
                    path + " must have at most " + Protocol.MAX_LOGIT_BIAS + " entries: entries=" + bias.node().size());
        }
        Map<Integer, Float> result = HashMap.newHashMap(bias.node().size());
        for (var entry : bias.node().properties()) {
            String entryPath = bias.path(entry.getKey());
            String key = entry.getKey();
            if (!TOKEN_ID.matcher(key).matches() || Long.parseLong(key) > Integer.MAX_VALUE) {
                throw bias.error(ErrorCode.INVALID_VALUE, entryPath, entryPath + " is not a token id in decimal digits");
            }
            result.put(Integer.parseInt(key), bias.number(entryPath, entry.getValue(), -100f, false, 100f));
        }
        return result;
    }

    private static List<String> stop(Fields message) throws ProtocolException {
        JsonNode array = message.optional("stop");
        if (array == null) {
            return List.of();
        }
        if (!array.isArray()) {
            throw message.wrongType("stop", "an array of strings", array);
        }
        if (array.size() > Protocol.MAX_STOPS) {
            throw message.outOfRange("stop", "at most " + Protocol.MAX_STOPS + " strings", array);
        }
        List<String> stop = new ArrayList<>(array.size());
        for (JsonNode text : array) {
            stop.add(message.text("stop[" + stop.size() + "]", text, 1, Protocol.MAX_STOP_CHARS));
        }
        return stop;
    }

    private static int logprobs(Fields message) throws ProtocolException {
        JsonNode node = message.optional("logprobs");
        if (node == null) {
            return -1;
        }
        if (node.isBoolean()) {
            return node.booleanValue() ? 0 : -1;
        }
        if (!node.isIntegralNumber()) {
            throw message.wrongType("logprobs", "an integer or a boolean", node);
        }
        return message.integer("logprobs", 0, Protocol.MAX_TOP_LOGPROBS);
    }

    private static WeightsPolicy weights(Fields message) throws ProtocolException {
        JsonNode given = message.optional("weights");
        boolean follow = (given == null || !given.isNumber()) && isSecond(message, "weights", "pin", "follow");
        boolean recompute = isSecond(message, "kv", "keep", "recompute");
        if (!follow && message.has("kv")) {
            throw message.error(ErrorCode.INVALID_VALUE, "kv", "kv goes with weights \"follow\" only");
        }
        if (!follow) {
            return WeightsPolicy.PIN;
        }
        return recompute ? WeightsPolicy.FOLLOW_AND_RECOMPUTE : WeightsPolicy.FOLLOW;
    }

    private static WeightsWish wish(Fields message) throws ProtocolException {
        JsonNode weights = message.optional("weights");
        long version = weights != null && weights.isNumber() ? message.longInteger("weights", 1, Long.MAX_VALUE) : WeightsWish.ANY;
        long atLeast = message.has("min_version") ? message.longInteger("min_version", 1, Long.MAX_VALUE) : WeightsWish.ANY;
        if (version != WeightsWish.ANY && atLeast > version) {
            throw message.error(ErrorCode.INVALID_VALUE, "min_version", "min_version is above the version in weights: min_version=%d, weights=%d"
                    .formatted(atLeast, version));
        }
        return version == WeightsWish.ANY && atLeast == WeightsWish.ANY ? WeightsWish.NEWEST : new WeightsWish(version, atLeast);
    }

    /** A choice of two words, the first of which is the default. */
    private static boolean isSecond(Fields message, String field, String first, String second) throws ProtocolException {
        JsonNode node = message.optional(field);
        if (node == null) {
            return false;
        }
        String allowed = "\"%s\" or \"%s\"".formatted(first, second);
        if (!node.isTextual()) {
            throw message.wrongType(field, allowed, node);
        }
        if (!node.textValue().equals(first) && !node.textValue().equals(second)) {
            throw message.outOfRange(field, allowed, node);
        }
        return node.textValue().equals(second);
    }
}

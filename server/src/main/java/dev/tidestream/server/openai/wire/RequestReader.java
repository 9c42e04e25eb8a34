package dev.tidestream.server.openai.wire;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.protocol.JsonInput;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.Priority;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/** Bodies of requests, read and judged. Safe for use by any thread. */
public final class RequestReader {
    /** What a request may have in {@code tidestream}. */
    static final Set<String> OWN_FIELDS = Set.of("weights", "kv", "parse_special", "receipt", "deadline_ms");
    /** The same in a message of a WebSocket. */
    static final Set<String> OWN_FIELDS_OF_FRAMES = Set.of("weights", "kv", "parse_special", "receipt", "deadline_ms", "credit");

    /** The tier of OpenAI that may wait. */
    static final String FLEX = "flex";

    private static final List<String> TIERS = List.of("auto", "default", FLEX, "priority", "scale");
    private static final int MAX_DEPTH = 64;
    private static final int MAX_FIELDS = 16_384;
    private static final int MAX_NAME_CHARS = 256;
    private static final int MAX_COMPLETION_LOGPROBS = Protocol.MAX_TOP_LOGPROBS;
    private static final int MAX_BIAS = 100;
    private static final int BAD_REQUEST = 400;

    private final Supplier<Bounds> bounds;
    private volatile Input input;

    private record Bounds(int maxBodyBytes, int maxTokens, int maxStreams) {}

    /** What reads bodies up to a size. */
    private record Input(int maxBytes, JsonInput json) {
        static Input of(int maxBytes) {
            return new Input(maxBytes, new JsonInput(maxBytes, MAX_DEPTH, MAX_FIELDS, MAX_NAME_CHARS));
        }
    }

    /**
     * @param maxBodyBytes largest body
     * @param maxTokens largest {@code max_tokens}
     * @param maxStreams most choices of one request, those of all its prompts together
     */
    public RequestReader(int maxBodyBytes, int maxTokens, int maxStreams) {
        this(() -> new Bounds(maxBodyBytes, maxTokens, maxStreams));
    }

    private RequestReader(Supplier<Bounds> bounds) {
        this.bounds = bounds;
        this.input = Input.of(bounds.get().maxBodyBytes());
    }

    /** One that judges each body by the limits of when it is read. */
    public static RequestReader of(Supplier<EndpointFactory.Limits> limits) {
        return new RequestReader(() -> {
            EndpointFactory.Limits now = limits.get();
            return new Bounds(now.maxBodyBytes(), now.streams().maxTokens(), now.streams().maxStreams());
        });
    }

    private JsonInput json() {
        int maxBytes = bounds.get().maxBodyBytes();
        Input now = input;
        if (now.maxBytes() != maxBytes) {
            now = Input.of(maxBytes);
            input = now;
        }
        return now.json();
    }

    /** The fields of the one object that a body must be. */
    public RequestFields read(String body) throws BadRequestException {
        JsonNode root;
        try {
            root = json().tree(body);
        } catch (JsonInput.TooManyFieldsException e) {
            throw malformed(String.valueOf(e.getOriginalMessage()));
        } catch (JsonProcessingException e) {
            String at = e.getLocation() == null ? "" : " (at character " + e.getLocation().getCharOffset() + ")";
            throw malformed(JsonAnswer.shown(String.valueOf(e.getOriginalMessage())) + at);
        }
        if (!root.isObject()) {
            throw malformed(root.isMissingNode() ? "it is empty" : "not an object");
        }
        return new RequestFields(root, "");
    }

    private static BadRequestException malformed(String detail) {
        return new BadRequestException(HttpError.of(BAD_REQUEST, "malformed_json", "the body is not one JSON object: " + detail));
    }

    /** A {@code POST /v1/completions}. */
    public CompletionRequest completion(String body) throws BadRequestException {
        RequestFields fields = read(body);
        Unsupported.refuseOfCompletions(fields);
        List<Prompt> prompts = prompts("prompt", fields.required("prompt"));
        boolean echo = fields.bool("echo", false);
        int logprobs = fields.integer("logprobs", 0, MAX_COMPLETION_LOGPROBS, -1);
        TokenRequest common = common(fields, logprobs, maxTokens(fields, "max_tokens", echo ? 0 : 1), prompts.size());
        int bestOf = fields.integer("best_of", 1, Integer.MAX_VALUE, common.n());
        if (bestOf != common.n()) {
            throw RequestFields.unsupported("best_of", fields.required("best_of"));
        }
        return new CompletionRequest(common, prompts, echo);
    }

    /** A {@code POST /v1/chat/completions}. */
    public ChatRequest chat(String body) throws BadRequestException {
        return ChatReader.chat(this, read(body));
    }

    /** A {@code POST /v1/responses}. */
    public ResponseRequest response(String body) throws BadRequestException {
        return ResponseReader.response(this, read(body));
    }

    /** A {@code response.create} of a WebSocket. */
    public ResponseRequest responseFrame(RequestFields frame) throws BadRequestException {
        return ResponseReader.frame(this, frame);
    }

    OptionalInt maxTokens(RequestFields fields, String name, int min) throws BadRequestException {
        return fields.has(name) ? OptionalInt.of(fields.integer(name, min, bounds.get().maxTokens(), min)) : OptionalInt.empty();
    }

    TokenRequest common(RequestFields fields, int topLogprobs, OptionalInt most, int prompts) throws BadRequestException {
        return common(fields, topLogprobs, most, prompts, OWN_FIELDS);
    }

    /** @param ownFields what may be in {@code tidestream} */
    TokenRequest common(RequestFields fields, int topLogprobs, OptionalInt most, int prompts, Set<String> ownFields)
            throws BadRequestException {
        int maxStreams = bounds.get().maxStreams();
        int n = fields.integer("n", 1, maxStreams, 1);
        if ((long) n * prompts > maxStreams) {
            throw BadRequestException.of("invalid_value", "n",
                    "too many choices in one request: prompts=%d, n=%d, limit=%d".formatted(prompts, n, maxStreams));
        }
        RequestFields own = fields.object("tidestream");
        for (String name : own.names()) {
            if (!ownFields.contains(name)) {
                String path = own.path(JsonAnswer.shown(name));
                throw BadRequestException.of("unknown_field", path, "unknown field: " + path);
            }
        }
        return new TokenRequest(
                fields.text("model"),
                n,
                most,
                sampling(fields),
                fields.seed("seed"),
                fields.texts("stop", Protocol.MAX_STOPS, Protocol.MAX_STOP_CHARS),
                topLogprobs,
                fields.bool("stream", false),
                fields.object("stream_options").bool("include_usage", false),
                fields.bool("return_token_ids", false),
                weights(own),
                urgency(fields, own),
                own.bool("parse_special", false),
                own.bool("receipt", false));
    }

    private static SamplingOptions sampling(RequestFields fields) throws BadRequestException {
        String penalty = fields.has("repeat_penalty") ? "repeat_penalty" : "repetition_penalty"; // of two servers
        int topK = fields.integer("top_k", -1, Integer.MAX_VALUE, 0);
        return new SamplingOptions(
                fields.number("temperature", 0, false, 100, 1),
                Math.max(0, topK), // elsewhere -1 keeps all
                fields.number("top_p", 0, true, 1, 1),
                fields.number("min_p", 0, false, 1, 0),
                fields.number(penalty, 0, true, 100, 1),
                fields.number("presence_penalty", -100, false, 100, 0),
                fields.number("frequency_penalty", -100, false, 100, 0),
                fields.byToken("logit_bias", -MAX_BIAS, MAX_BIAS, Protocol.MAX_LOGIT_BIAS),
                OptionalLong.empty());
    }

    /** {@code flex} is OpenAI's word for what may wait; all its other tiers are interactive here. */
    private static Urgency urgency(RequestFields fields, RequestFields own) throws BadRequestException {
        String tier = fields.text("service_tier");
        if (tier != null && !TIERS.contains(tier)) {
            throw RequestFields.invalid(fields.path("service_tier"), "one of " + String.join(", ", TIERS), fields.required("service_tier"));
        }
        int deadlineMs = own.integer("deadline_ms", 1, Protocol.MAX_DEADLINE_MS, (int) Urgency.NO_DEADLINE);
        return new Urgency(FLEX.equals(tier) ? Priority.BATCH : Priority.INTERACTIVE, deadlineMs);
    }

    private static WeightsPolicy weights(RequestFields own) throws BadRequestException {
        String weights = own.text("weights");
        String kv = own.text("kv");
        if (weights != null && !weights.equals("pin") && !weights.equals("follow")) {
            throw RequestFields.invalid(own.path("weights"), "\"pin\" or \"follow\"", own.required("weights"));
        }
        if (kv != null && !kv.equals("keep") && !kv.equals("recompute")) {
            throw RequestFields.invalid(own.path("kv"), "\"keep\" or \"recompute\"", own.required("kv"));
        }
        boolean recompute = "recompute".equals(kv);
        if (!"follow".equals(weights)) {
            if (recompute) {
                throw RequestFields.invalid(own.path("kv"), "\"keep\" unless weights is \"follow\"", own.required("kv"));
            }
            return WeightsPolicy.PIN;
        }
        return recompute ? WeightsPolicy.FOLLOW_AND_RECOMPUTE : WeightsPolicy.FOLLOW;
    }

    /** A string, an array of strings, an array of tokens, or an array of such arrays. */
    private static List<Prompt> prompts(String path, JsonNode node) throws BadRequestException {
        if (node.isTextual()) {
            return List.of(new Prompt.Text(node.textValue()));
        }
        if (!node.isArray()) {
            throw RequestFields.wrongType(path, "a string, an array of strings, of tokens, or of arrays of tokens", node);
        }
        if (node.isEmpty()) {
            throw RequestFields.invalid(path, "not empty", node);
        }
        if (node.get(0).isNumber()) {
            return List.of(new Prompt.Tokens(tokens(path, node)));
        }
        List<Prompt> prompts = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            JsonNode entry = node.get(i);
            String at = path + "[" + i + "]";
            if (entry.isTextual()) {
                prompts.add(new Prompt.Text(entry.textValue()));
            } else if (entry.isArray()) {
                prompts.add(new Prompt.Tokens(tokens(at, entry)));
            } else {
                throw RequestFields.wrongType(at, "a string or an array of tokens", entry);
            }
        }
        return prompts;
    }

    /** Token ids; whether there are such tokens is the engine's to say. */
    public static int[] tokens(String path, JsonNode array) throws BadRequestException {
        if (!array.isArray()) {
            throw RequestFields.wrongType(path, "an array of token ids", array);
        }
        if (array.isEmpty()) {
            throw RequestFields.invalid(path, "not empty", array);
        }
        int[] tokens = new int[array.size()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = (int) RequestFields.integer(path + "[" + i + "]", array.get(i), Integer.MIN_VALUE, Integer.MAX_VALUE);
        }
        return tokens;
    }
}

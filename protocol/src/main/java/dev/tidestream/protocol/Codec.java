package dev.tidestream.protocol;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import org.jspecify.annotations.Nullable;

/**
 * Messages to and from text frames, one JSON object each; safe for use by any thread.
 *
 * <pre>
 * client → server                                        server → client
 *
 * {"type":"generate",                                    {"type":"accepted",
 *  "id":          string 1..128,                          "id":              string,
 *  "prompt":      string         } exactly                "stream":          integer,
 *  "tokens":      [integer, …]   } one of them            "seed":            integer, or decimal string beyond ±(2^53-1),
 *  "max_tokens":  1..limit        = 256,                  "weights_version": integer,
 *  "sampling": {                                          "prompt_tokens":   integer}
 *    "temperature":         [0, 100]    = 1,
 *    "top_k":               0..2^31-1   = 0 (all),       {"type":"progress",
 *    "top_p":               (0, 1]      = 1,              "id": string, "prefilled": integer, "of": integer}
 *    "min_p":               [0, 1]      = 0,
 *    "repetition_penalty":  (0, 100]    = 1,             {"type":"token",
 *    "presence_penalty":    [-100, 100] = 0,              "id": string, "seq": 0, 1, 2, …, "token": integer,
 *    "frequency_penalty":   [-100, 100] = 0,              "text": string, "weights_version": integer,
 *    "logit_bias":          {"token id": [-100, 100], …}, "logprob": number?,
 *                           at most 1024,                 "top_logprobs": [{"token": integer, "logprob": number}, …]?}
 *    "seed":                signed 64-bit integer,
 *                           or as decimal string},       {"type":"finished",
 *  "stop":        [string 1..256, …] at most 16,          "id": string, "reason": "stop" | "length" | "cancelled",
 *  "logprobs":    0..20 | true (= 0) | false (= absent),  "usage":  {"prompt_tokens", "completion_tokens"},
 *  "weights":     "pin" | "follow" = "pin",               "timing": {"queue_ms", "first_token_ms", "total_ms",
 *  "kv":          "keep" | "recompute" = "keep",                     "tokens_per_s"}}
 *                 with "follow" only,
 *  "credit":      0..2^31-1 = unlimited}
 *
 * {"type":"credit", "id": string, "n": 1..2^31-1}        {"type":"failed",
 * {"type":"cancel", "id": string}                         "id": string?, "code": see ErrorCode, "message": string}
 * {"type":"watch", "weights": boolean}                   {"type":"weights_changed", "weights_version": integer}
 * </pre>
 *
 * <p>Client messages are read strictly: duplicate keys, unknown fields, trailing text, {@code null}, {@code 1.0} for an
 * integer and {@code "1"} for a number are errors. Server messages are read by clients, which pass over fields that they
 * do not know. JSON is parsed into a tree first and judged second, so that a wrong field never hides the {@code id}; a
 * frame that is not JSON is scanned once more for the {@code id} before the point where it breaks.
 */
public final class Codec {
    private static final int MAX_DEPTH = 8;
    private static final int MAX_NUMBER_CHARS = 128;
    private static final int MAX_NAME_CHARS = 256;
    private static final int TOKEN_FRAME_CHARS = 160;

    private final Limits limits;
    private final JsonFactory factory;
    private final ObjectReader reader;
    private final ClientDecoder clientDecoder;

    public Codec(Limits limits) {
        this.limits = limits;
        this.factory = JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(MAX_DEPTH)
                        .maxNumberLength(MAX_NUMBER_CHARS)
                        .maxNameLength(MAX_NAME_CHARS)
                        .maxStringLength(limits.messageChars())
                        .maxDocumentLength(limits.messageChars())
                        .build())
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                .build();
        this.reader = new ObjectMapper(factory).reader().with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
        this.clientDecoder = new ClientDecoder(limits);
    }

    /** Reads a frame of a client; strict. */
    public ClientMessage decodeClient(String frame) throws ProtocolException {
        Fields message = parse(frame);
        return clientDecoder.decode(type(message), message);
    }

    /** Reads a frame of a server, for clients; passes over unknown fields. */
    public ServerMessage decodeServer(String frame) throws ProtocolException {
        Fields message = parse(frame);
        return ServerDecoder.decode(type(message), message);
    }

    /** The compact JSON of a message. */
    public String encode(ServerMessage message) {
        StringWriter out = new StringWriter(TOKEN_FRAME_CHARS);
        try (JsonGenerator generator = factory.createGenerator(out)) {
            Encoder.write(generator, message);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toString();
    }

    /** The compact JSON of a message; fields at their default are left out. */
    public String encode(ClientMessage message) {
        StringWriter out = new StringWriter(TOKEN_FRAME_CHARS);
        try (JsonGenerator generator = factory.createGenerator(out)) {
            Encoder.write(generator, message);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toString();
    }

    /** The {@code id} of a frame, if it stands in this head of it; for frames too large or too broken to be read. */
    public @Nullable String peekId(String head) {
        try (JsonParser parser = factory.createParser(head)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean isId = parser.currentName().equals("id");
                JsonToken value = parser.nextToken();
                if (isId) {
                    return value == JsonToken.VALUE_STRING && isId(parser.getText()) ? parser.getText() : null;
                }
                parser.skipChildren();
            }
            return null;
        } catch (IOException e) {
            return null; // it broke before an id was seen; the caller reports why
        }
    }

    static ProtocolException unknownType(Fields message, String type) {
        return message.error(ErrorCode.UNKNOWN_TYPE, "type", "unknown type: \"" + Fields.clean(type) + "\"");
    }

    private Fields parse(String frame) throws ProtocolException {
        if (frame.length() > limits.messageChars()) {
            throw new ProtocolException(
                    ErrorCode.FRAME_TOO_LARGE,
                    null,
                    "message too large: chars=" + frame.length() + ", limit=" + limits.messageChars(),
                    null);
        }
        JsonNode root;
        try {
            root = reader.readTree(frame);
        } catch (JsonProcessingException e) {
            throw malformed(Fields.clean(String.valueOf(e.getOriginalMessage()), 160) + position(e), peekId(frame));
        }
        if (root == null || !root.isObject()) {
            throw malformed(root == null || root.isMissingNode() ? "empty frame" : "not an object", null);
        }
        JsonNode id = root.get("id");
        return new Fields(root, "", id != null && id.isTextual() && isId(id.textValue()) ? id.textValue() : null);
    }

    private static ProtocolException malformed(String detail, @Nullable String id) {
        return new ProtocolException(ErrorCode.MALFORMED_JSON, null, "the frame is not one JSON object: " + detail, id);
    }

    private static String position(JsonProcessingException e) {
        return e.getLocation() == null ? "" : " (at character " + e.getLocation().getCharOffset() + ")";
    }

    private static String type(Fields message) throws ProtocolException {
        if (!message.has("type")) {
            throw message.error(ErrorCode.UNKNOWN_TYPE, "type", "missing field: type");
        }
        JsonNode type = message.required("type");
        if (!type.isTextual()) {
            throw message.wrongType("type", "a string", type);
        }
        return type.textValue();
    }

    private static boolean isId(String text) {
        return !text.isEmpty() && text.length() <= Protocol.MAX_ID_CHARS && Fields.isWellFormed(text);
    }
}

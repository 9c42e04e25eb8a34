package dev.tidestream.protocol;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;

import com.fasterxml.jackson.core.JsonGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Messages to and from text frames, one JSON object each; safe for use by any thread.
 *
 * <pre>
 * client → server                                        server → client
 *
 * {"type":"generate",                                    {"type":"accepted",
 *  "id":          string 1..128,                          "id":              string,
 *  "prompt":      string         }                        "stream":          integer,
 *  "messages":    [{"role", "content"}, …]  } exactly     "seed":            integer, or decimal string beyond ±(2^53-1),
 *  "tokens":      [integer, …]   } one of them            "weights_version": integer,
 *  "max_tokens":  1..limit        = 256,                  "prompt_tokens":   integer, "resume": string?}
 *  "sampling": {
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
 *  "weights":     "pin" | "follow" | version = "pin",     "timing": {"queue_ms", "first_token_ms", "total_ms",
 *  "kv":          "keep" | "recompute" = "keep",                     "tokens_per_s"},
 *                 with "follow" only,                     "receipt": string?}
 *  "min_version": version,
 *  "credit":      0..2^31-1 = unlimited,
 *  "resumable":   boolean = false,
 *  "receipt":     boolean = false,
 *  "priority":    "interactive" | "batch" = "interactive",
 *  "deadline_ms": 1..86400000 = none}
 *
 * {"type":"credit", "id": string, "n": 1..2^31-1}        {"type":"failed",
 * {"type":"cancel", "id": string}                         "id": string?, "code": see ErrorCode, "message": string}
 * {"type":"resume", "id": string, "stream": string,
 *  "after_seq": -1..2^31-2,
 *  "credit": 0..2^31-1 = unlimited}
 * {"type":"watch", "weights": boolean}                   {"type":"weights_changed", "weights_version": integer}
 * </pre>
 *
 * <p>Client messages are read strictly: duplicate keys, unknown fields, trailing text, {@code null}, {@code 1.0} for an
 * integer and {@code "1"} for a number are errors. Server messages are read by clients, which pass over fields that they
 * do not know. JSON is parsed into a tree first and judged second, so that a wrong field never hides the {@code id}; a
 * frame that is not JSON is scanned once more for the {@code id} before the point where it breaks.
 */
public final class Codec {
    private static final int TOKEN_FRAME_CHARS = 160;

    private final FrameReader reader;
    private final ClientDecoder clientDecoder;

    public Codec(Limits limits) {
        this.reader = new FrameReader(limits.messageChars(), Protocol.MAX_FIELDS, "id");
        this.clientDecoder = new ClientDecoder(limits);
    }

    /** Reads a frame of a client; strict. */
    public ClientMessage decodeClient(String frame) throws ProtocolException {
        Fields message = reader.read(frame);
        return clientDecoder.decode(FrameReader.type(message), message);
    }

    /** Reads a frame of a server, for clients; passes over unknown fields. */
    public ServerMessage decodeServer(String frame) throws ProtocolException {
        Fields message = reader.read(frame);
        return ServerDecoder.decode(FrameReader.type(message), message);
    }

    /** The compact JSON of a message. */
    public String encode(ServerMessage message) {
        StringWriter out = new StringWriter(TOKEN_FRAME_CHARS);
        try (JsonGenerator generator = reader.factory().createGenerator(out)) {
            Encoder.write(generator, message);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toString();
    }

    /** The compact JSON of a message; fields at their default are left out. */
    public String encode(ClientMessage message) {
        StringWriter out = new StringWriter(TOKEN_FRAME_CHARS);
        try (JsonGenerator generator = reader.factory().createGenerator(out)) {
            Encoder.write(generator, message);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toString();
    }

    /** The {@code id} of a frame, if it stands in this head of it; for frames too large or too broken to be read. */
    public @Nullable String peekId(String head) {
        return reader.peek(head);
    }
}

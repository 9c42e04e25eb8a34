package dev.tidestream.server.openai;

import io.vertx.core.Future;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.server.keys.KeyLimitException;
import dev.tidestream.server.keys.KeyRefusal;
import dev.tidestream.server.openai.wire.JsonBytes;
import dev.tidestream.server.transport.endpoint.AnswerMemory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/** Words that all answers have in common. */
public final class Answers {
    private static final int OK = 200;
    private static final int BAD_REQUEST = 400;
    private static final int NOT_FOUND = 404;
    private static final int CONFLICT = 409;
    private static final int UNAUTHORIZED = 401;
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int FAULT = 500;
    private static final int UNAVAILABLE = 503;
    private static final int TOO_LATE = 504;

    private Answers() {}

    /** What is said to a key that may not ask for more. */
    public static HttpError limit(KeyLimitException e) {
        return error(e.refusal() == KeyRefusal.REVOKED ? ErrorCode.INVALID_API_KEY : ErrorCode.RATE_LIMIT_EXCEEDED, String.valueOf(e.getMessage()));
    }

    /** As OpenAI calls it; there is no word for a cancelled one, whose client has gone. */
    static String finishReason(FinishReason reason) {
        return switch (reason) {
            case STOP -> "stop";
            case LENGTH -> "length";
            case CANCELLED -> throw new IllegalStateException("a stream over HTTP is never asked to stop");
        };
    }

    /** What an error of the engine is to a client of OpenAI. */
    public static HttpError error(ErrorCode code, String message) {
        return switch (code) {
            case PROMPT_TOO_LONG -> HttpError.of(BAD_REQUEST, "context_length_exceeded",
                    "This request does not fit into the model's maximum context length, or into the server's memory for it: " + message);
            case BUSY, TOO_MANY_STREAMS -> HttpError.of(UNAVAILABLE, "overloaded", message);
            case RATE_LIMIT_EXCEEDED -> HttpError.of(TOO_MANY_REQUESTS, code.wireName(), message);
            case INVALID_API_KEY -> HttpError.of(UNAUTHORIZED, code.wireName(), message);
            case SHUTTING_DOWN, CREDIT_TIMEOUT -> HttpError.of(UNAVAILABLE, code.wireName(), message);
            case DEADLINE_EXCEEDED -> HttpError.of(TOO_LATE, code.wireName(), message);
            case VERSION_GONE, VERSION_NOT_YET, REPLAY_GONE, RESUMED -> HttpError.of(CONFLICT, code.wireName(), message);
            case UNKNOWN_STREAM -> HttpError.of(NOT_FOUND, code.wireName(), message);
            case UNKNOWN_ADAPTER -> HttpError.of(NOT_FOUND, "model_not_found", message);
            case INTERNAL -> HttpError.of(FAULT, null, message);
            case MALFORMED_JSON, UNKNOWN_TYPE, UNKNOWN_FIELD, MISSING_FIELD, INVALID_TYPE, INVALID_VALUE, DUPLICATE_ID, UNKNOWN_ID,
                    FRAME_TOO_LARGE, BINARY_FRAME -> HttpError.of(BAD_REQUEST, code.wireName(), message);
        };
    }

    /** Answers with an error, nothing of the answer having gone. */
    public static Future<Void> refuse(Exchange exchange, HttpError error) {
        return exchange.refuse(error);
    }

    /** Answers with JSON, if there is room for it among what has not been sent; completes when it is out, or the client has gone. */
    public static Future<Void> send(Exchange exchange, AnswerMemory memory, byte[] json) {
        AnswerMemory.Share share = memory.share();
        if (!share.grow(json.length)) {
            return exchange.refuse(noRoom(memory));
        }
        return JsonAnswer.send(exchange.request(), OK, JsonAnswer.TYPE, json).otherwiseEmpty().onComplete(done -> share.release());
    }

    /** That answers hold all that they may. */
    public static HttpError noRoom(AnswerMemory memory) {
        return HttpError.of(UNAVAILABLE, "overloaded",
                "no room for this answer among those that are not sent yet, try again later: limit of all=" + memory.limitBytes());
    }

    /** Appends a seed: beyond what JavaScript holds exactly, as a decimal string. */
    public static void seed(JsonBytes out, long seed) {
        out.raw("\"seed\":");
        if (Math.abs(seed) <= Protocol.MAX_SAFE_INTEGER) {
            out.number(seed);
        } else {
            out.string(Long.toString(seed));
        }
    }
}

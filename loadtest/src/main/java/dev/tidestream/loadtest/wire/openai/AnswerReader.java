package dev.tidestream.loadtest.wire.openai;

import java.util.List;
import java.util.function.Supplier;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.wire.Link;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;

/** Events of one answer: frames of a stream are made of them, and what the wire promises is looked at. */
abstract sealed class AnswerReader permits ChoiceReader, ResponseReader {
    /** The code of an answer that has no end. */
    static final String NO_END = "no_end";
    private static final long NO_VERSION = -1;

    private final String id;
    private final int maxTokens;
    private final Link.Listener listener;
    private final Runnable ownSeen;
    private long version = NO_VERSION;
    private boolean accepted;
    private boolean ended;
    private int tokens;

    /**
     * @param maxTokens that were asked for
     * @param ownSeen is run when an event has what only our servers send
     */
    AnswerReader(String id, int maxTokens, Link.Listener listener, Runnable ownSeen) {
        this.id = id;
        this.maxTokens = maxTokens;
        this.listener = listener;
        this.ownSeen = ownSeen;
    }

    /** One event of a body, or one message of a socket. */
    abstract void event(String name, String data, long nowNs);

    /** The answer's body is over, without a fault of the connection. */
    abstract void bodyEnded(long nowNs);

    /** Whether the stream has come to an end. */
    final boolean ended() {
        return ended;
    }

    /** The stream has no end of its own. */
    final void fail(String code, String why, long nowNs) {
        if (!ended) {
            ended = true;
            listener.failed(id, code, why, nowNs);
        }
    }

    /** The client has left: nothing more is told. */
    final void left() {
        ended = true;
    }

    /** What is no event of the wire; the stream is over. */
    final void garbage(String what, long nowNs) {
        listener.garbage(id + ": " + what, nowNs);
        fail("not_readable", what, nowNs);
    }

    final void check(Promise promise, boolean kept, Supplier<String> otherwise) {
        listener.checked(id, promise, kept, otherwise);
    }

    /** The data of an event as an object; if it is none, that is told, and the node is a missing one. */
    final JsonNode object(String data, long nowNs) {
        try {
            JsonNode event = Told.JSON.readTree(data);
            if (event.isObject()) {
                see(event.path("tidestream"));
                return event;
            }
            garbage("an event that is no JSON object: " + Told.head(data), nowNs);
        } catch (JsonProcessingException e) {
            garbage("an event that is not JSON: " + Told.head(data), nowNs);
        }
        return Told.JSON.missingNode();
    }

    /** Our own object in an event, or a missing node. */
    final void see(JsonNode own) {
        if (own.isObject()) {
            ownSeen.run();
            version = own.path("weights_version").asLong(version);
        }
    }

    /** The answer has begun; may be said again. */
    final void accept(long nowNs) {
        if (!accepted && !ended) {
            accepted = true;
            listener.message(new ServerMessage.Accepted(id, 0, 0, version, 0), nowNs);
        }
    }

    /** A token came. */
    final void token(String text, int token, long nowNs) {
        if (ended) {
            check(Promise.TERMINAL, false, () -> "a token after the end: " + Told.head(text));
            return;
        }
        accept(nowNs);
        listener.message(new ServerMessage.Token(id, tokens++, token, text, version, null, List.of()), nowNs);
    }

    final int tokens() {
        return tokens;
    }

    /** Tokens that were asked for. */
    final int maxTokens() {
        return maxTokens;
    }

    /**
     * The end.
     *
     * @param exactly whether each token was seen, so that {@code usage} must be their number; otherwise events may have several, and
     *     tokens without text none, but no event has less than one
     */
    final void finish(FinishReason reason, JsonNode usage, String promptField, String completionField, boolean exactly,
            long nowNs) {
        if (ended) {
            return;
        }
        accept(nowNs);
        int completion = tokens;
        int cached = usage.path(promptField + "_details").path("cached_tokens").asInt(0);
        if (usage.isObject()) {
            int told = usage.path(completionField).asInt(-1);
            long prompt = usage.path(promptField).asLong(-1);
            long total = usage.path("total_tokens").asLong(-1);
            boolean adds = prompt >= 0 && told >= 0 && total == prompt + told && cached >= 0 && cached <= prompt;
            check(Promise.USAGE, adds && (exactly ? told == tokens : told >= tokens),
                    () -> "usage is not what came: tokens seen=%d%s, usage=%s".formatted(tokens, exactly ? "" : " or more",
                            usage));
            check(Promise.MAX_TOKENS, told <= maxTokens, () -> "more tokens than asked for: usage=" + told + ", limit="
                    + maxTokens);
            completion = Math.max(told, tokens);
        }
        ended = true;
        listener.message(new ServerMessage.Finished(id, reason,
                new Usage(usage.path(promptField).asInt(0), completion, cached), new Timing(0, 0, 0, 0)), nowNs);
    }
}

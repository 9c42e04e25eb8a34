package dev.tidestream.protocol;

import java.util.List;

import org.jspecify.annotations.Nullable;

/** What a server says. Per stream: {@code accepted}, {@code progress}*, {@code token}*, {@code finished}; or {@code failed}. */
public sealed interface ServerMessage {

    /** The stream that the message is about, by the client's own name; null if it is about none. */
    @Nullable
    String id();

    /**
     * The request is valid and queued.
     *
     * @param stream the server's number of the stream
     * @param seed the seed in use, the client's or the server's own
     * @param promptTokens tokens of the prompt, BOS included
     * @param resume what {@link ClientMessage.Resume} calls the stream; null if it ends with its connection
     */
    record Accepted(String id, long stream, long seed, long weightsVersion, int promptTokens, @Nullable String resume)
            implements ServerMessage {

        /** Of a stream that ends with its connection. */
        public Accepted(String id, long stream, long seed, long weightsVersion, int promptTokens) {
            this(id, stream, seed, weightsVersion, promptTokens, null);
        }
    }

    /** {@code prefilled} of {@code of} prompt tokens are done; costs no credit. */
    record Progress(String id, int prefilled, int of) implements ServerMessage {}

    /**
     * One generated token; costs one credit.
     *
     * @param seq 0 for the first token of a stream, rising by one
     * @param text what this token completes; empty while a character or a possible stop string is incomplete
     * @param logprob natural log; absent unless asked for
     * @param topLogprobs most likely first; empty unless asked for
     */
    record Token(
            String id,
            int seq,
            int token,
            String text,
            long weightsVersion,
            @Nullable Float logprob,
            List<TopLogprob> topLogprobs)
            implements ServerMessage {}

    /**
     * The stream has ended and its id is free; costs no credit.
     *
     * @param receipt what the stream is a function of, signed: a compact JWS; null unless asked for
     * @param adapter that it was computed with; null for none
     */
    record Finished(
            String id, FinishReason reason, Usage usage, Timing timing, @Nullable String receipt, @Nullable AdapterRef adapter)
            implements ServerMessage {
        /** Of a stream of the model alone, without a receipt. */
        public Finished(String id, FinishReason reason, Usage usage, Timing timing) {
            this(id, reason, usage, timing, null, null);
        }
    }

    /**
     * A message was refused or a stream broke off.
     *
     * @param message for people: names the field and the value
     * @param retryAfterMs when to try again; null if that is not known, or of no use
     */
    record Failed(@Nullable String id, ErrorCode code, String message, @Nullable Long retryAfterMs) implements ServerMessage {
        /** Without a time to try again. */
        public Failed(@Nullable String id, ErrorCode code, String message) {
            this(id, code, message, null);
        }
    }

    /** New streams get this version from now on; sent to connections that watch. Of several in a row, the last may stand for all. */
    record WeightsChanged(long weightsVersion) implements ServerMessage {
        @Override
        public @Nullable String id() {
            return null;
        }
    }
}

package dev.tidestream.server.engine;

import java.time.LocalDateTime;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.AdapterRef;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.TopLogprob;
import dev.tidestream.protocol.Usage;

/**
 * What a stream emits. Each event uses one unit of Reactive Streams demand.
 *
 * <p>Order: one {@link Accepted}, then any number of {@link Progress} and {@link Scored}, then {@link Token}s with {@code seq} 0, 1, 2, …;
 * the last {@code Token} carries the {@link Finish}. A stream stopped by {@link Generation#stop}, or asked for no tokens, ends with
 * {@link Stopped} instead.
 * A sequence without demand is not scheduled, so every event that is computed can be delivered.
 */
public sealed interface TokenEvent {

    /**
     * The request is valid and queued.
     *
     * @param stream the server's number of this stream
     * @param seed the seed in use, the client's or the server's own
     * @param weightsVersion the version the stream starts with, and is pinned to if it asked for that
     * @param headMode how logits of that version are computed, at the moment: its head may be exchanged as well
     * @param promptTokens tokens of the prompt, BOS included
     * @param promptSha256 of these tokens, as {@link TokenDigest} makes it; null unless the request asked for a receipt
     * @param renderedAt what the template that made the prompt was told of the time; null if nothing
     * @param adapter that it is computed with; null for none
     */
    record Accepted(long stream, long seed, long weightsVersion, String headMode, int promptTokens, @Nullable String promptSha256,
            @Nullable LocalDateTime renderedAt, @Nullable AdapterRef adapter) implements TokenEvent {
        /** Of a stream of the model alone, without a receipt, and with a prompt that is of no time. */
        public Accepted(long stream, long seed, long weightsVersion, String headMode, int promptTokens) {
            this(stream, seed, weightsVersion, headMode, promptTokens, null, null, null);
        }
    }

    /** A prompt takes longer than half a second: {@code prefilled} of {@code of} tokens are in the KV cache. Droppable. */
    record Progress(int prefilled, int of) implements TokenEvent {}

    /** Log-probabilities of the tokens of the prompt but the first, in order and in pieces, before any token is generated; if asked for. */
    record Scored(List<Score> scores) implements TokenEvent {
        public Scored {
            scores = List.copyOf(scores);
        }
    }

    /**
     * How likely a token of the prompt was, given those before it.
     *
     * @param token token id
     * @param logprob natural-log probability
     * @param topLogprobs the tokens that were most likely in its place, most likely first
     */
    record Score(int token, float logprob, List<TopLogprob> topLogprobs) {}

    /**
     * One generated token.
     *
     * @param seq 0 for the first token of the stream
     * @param token token id
     * @param text the text this token completes; empty while a character or a possible stop string is incomplete
     * @param weightsVersion the version whose weights made this token
     * @param logprob natural-log probability of the token, if asked for
     * @param topLogprobs the most likely tokens, most likely first, if asked for
     * @param finish present on the last token of the stream
     */
    record Token(
            int seq,
            int token,
            String text,
            long weightsVersion,
            @Nullable Float logprob,
            List<TopLogprob> topLogprobs,
            @Nullable Finish finish)
            implements TokenEvent {}

    /** The stream was stopped by {@link Generation#stop}, or was asked for no tokens; nothing follows. */
    record Stopped(Finish finish) implements TokenEvent {}

    /**
     * How a stream ended.
     *
     * @param evidence what a receipt says of it; null unless the request asked for one
     */
    record Finish(FinishReason reason, Usage usage, Timing timing, @Nullable Evidence evidence) {
        /** Without evidence. */
        public Finish(FinishReason reason, Usage usage, Timing timing) {
            this(reason, usage, timing, null);
        }
    }
}

package dev.tidestream.server.transport.http;

import java.time.Duration;

/**
 * The bounds of what is sent over HTTP, and of the work for it.
 *
 * @param stallTimeout how long a client may take nothing of an answer that waits for it
 * @param keepAlive silence on a stream after which a comment is sent
 * @param maxBytes largest answer that is put together before it is sent
 * @param maxBytesOfAll what all of these, and responses that grow, may hold together
 * @param maxWork requests at once for tokens of texts, texts of tokens and prompts of conversations
 */
public record AnswerLimits(Duration stallTimeout, Duration keepAlive, int maxBytes, long maxBytesOfAll, int maxWork) {
    private static final int MAX_BYTES = 16 << 20;
    private static final long MAX_BYTES_OF_ALL = 64L << 20;
    private static final int SHARE_OF_HEAP = 8;

    /**
     * 10 minutes without taking anything, a comment after 15 s; answers of 16 MiB, 64 MiB of all of them or an eighth of the heap if
     * that is less, and 64 requests at work.
     */
    public static final AnswerLimits DEFAULT = new AnswerLimits(Duration.ofMinutes(10), Duration.ofSeconds(15), MAX_BYTES,
            Math.max(MAX_BYTES, Math.min(MAX_BYTES_OF_ALL, Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP)), 64);

    /** The same with another time. */
    public AnswerLimits withStallTimeout(Duration timeout) {
        return new AnswerLimits(timeout, keepAlive, maxBytes, maxBytesOfAll, maxWork);
    }

    public AnswerLimits {
        if (!stallTimeout.isPositive() || !keepAlive.isPositive()) {
            throw new IllegalArgumentException("must be above 0: stallTimeout=" + stallTimeout + ", keepAlive=" + keepAlive);
        }
        if (maxBytes < 1 || maxBytesOfAll < maxBytes || maxWork < 1) {
            throw new IllegalArgumentException(
                    "must be at least 1, and all together as much as one: maxBytes=%d, maxBytesOfAll=%d, maxWork=%d"
                    .formatted(maxBytes, maxBytesOfAll, maxWork));
        }
    }
}

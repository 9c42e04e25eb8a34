package dev.tidestream.server.keys;

/**
 * How much one key may ask for; 0 is no limit.
 *
 * @param requestsPerMinute requests that tokens are counted for
 * @param tokensPerMinute of prompts and answers together
 * @param streams at once: each choice of an answer is one
 */
public record KeyLimits(int requestsPerMinute, int tokensPerMinute, int streams) {
    /** As much as the server itself allows. */
    public static final KeyLimits NONE = new KeyLimits(0, 0, 0);

    public KeyLimits {
        if (requestsPerMinute < 0 || tokensPerMinute < 0 || streams < 0) {
            throw new IllegalArgumentException("limits must be at least 0: requests_per_minute=%d, tokens_per_minute=%d, streams=%d"
                    .formatted(requestsPerMinute, tokensPerMinute, streams));
        }
    }
}

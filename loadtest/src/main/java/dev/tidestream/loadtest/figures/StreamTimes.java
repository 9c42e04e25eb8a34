package dev.tidestream.loadtest.figures;

/**
 * The times of one stream that came to its end, in nanoseconds of one clock.
 *
 * @param intendedNs when it should have started; latencies count from here
 * @param sentNs when its request went out
 * @param firstNs of its first token; 0 if there was none
 * @param lastNs of its last token
 * @param endNs when it was finished
 */
public record StreamTimes(long intendedNs, long sentNs, long firstNs, long lastNs, long endNs, int tokens) {
    private static final double NS_PER_MS = 1e6;

    public double ttftMs() {
        return tokens == 0 ? 0 : (firstNs - intendedNs) / NS_PER_MS;
    }

    /** Mean time per token after the first; 0 with fewer than two. */
    public double tpotMs() {
        return tokens < 2 ? 0 : (lastNs - firstNs) / NS_PER_MS / (tokens - 1);
    }

    public double e2eMs() {
        return (endNs - intendedNs) / NS_PER_MS;
    }
}

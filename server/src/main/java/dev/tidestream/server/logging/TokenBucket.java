package dev.tidestream.server.logging;

/**
 * So many at once, then so many per second: the classic token bucket. Time is the caller's, so that nothing here reads a clock. One thread at a time.
 */
public final class TokenBucket {
    private static final double NS_PER_S = 1e9;

    private final double perSecond;
    private final double burst;
    private double level;
    private long atNs;

    /**
     * A full one.
     *
     * @param perSecond refilled, above 0
     * @param burst most that it holds, at least 1
     * @param nowNs monotonic
     */
    public TokenBucket(double perSecond, double burst, long nowNs) {
        if (!(perSecond > 0) || !(burst >= 1)) {
            throw new IllegalArgumentException("rate must be above 0, and burst at least 1: per_s=" + perSecond + ", burst=" + burst);
        }
        this.perSecond = perSecond;
        this.burst = burst;
        this.level = burst;
        this.atNs = nowNs;
    }

    /** Takes one, if there is one. */
    public boolean take(long nowNs) {
        refill(nowNs);
        if (level < 1) {
            return false;
        }
        level--;
        return true;
    }

    /** Until there is one; 0 if there is. */
    public long untilNextNs(long nowNs) {
        refill(nowNs);
        return level >= 1 ? 0 : (long) Math.ceil((1 - level) / perSecond * NS_PER_S);
    }

    /** Whether nothing of it is missing: another one in its place would be the same. */
    public boolean full(long nowNs) {
        refill(nowNs);
        return level >= burst;
    }

    private void refill(long nowNs) {
        level = Math.min(burst, level + Math.max(0, nowNs - atNs) / NS_PER_S * perSecond);
        atNs = nowNs;
    }
}

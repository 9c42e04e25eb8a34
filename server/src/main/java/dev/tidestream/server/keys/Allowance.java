package dev.tidestream.server.keys;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import io.github.bucket4j.Bucket;
import io.github.bucket4j.TimeMeter;

/**
 * So many of something per minute: a bucket that refills evenly and holds a minute's worth. What was used beyond it is a debt, which is
 * refilled first. Any thread.
 */
final class Allowance {
    private final int perMinute;
    private final Bucket bucket;

    Allowance(int perMinute, LongSupplier nanoTime) {
        this.perMinute = perMinute;
        this.bucket = Bucket.builder()
                .addLimit(limit -> limit.capacity(perMinute).refillGreedy(perMinute, Duration.ofMinutes(1)))
                .withCustomTimePrecision(new TimeMeter() {
                    @Override
                    public long currentTimeNanos() {
                        return nanoTime.getAsLong();
                    }

                    @Override
                    public boolean isWallClockBased() {
                        return false;
                    }
                })
                .build();
    }

    int perMinute() {
        return perMinute;
    }

    /** Takes one if there is one. */
    boolean take() {
        return bucket.tryConsume(1);
    }

    /** Takes so many, whether they are there or not. */
    void use(long count) {
        bucket.consumeIgnoringRateLimits(count);
    }

    /** How many there are; none during a debt. */
    long left() {
        return Math.max(0, bucket.getAvailableTokens());
    }

    /** How long until there are so many, in ms, rounded up. */
    long untilMs(long count) {
        return Math.ceilDiv(bucket.estimateAbilityToConsume(count).getNanosToWaitForRefill(), TimeUnit.MILLISECONDS.toNanos(1));
    }
}

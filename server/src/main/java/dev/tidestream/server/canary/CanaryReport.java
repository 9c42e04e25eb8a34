package dev.tidestream.server.canary;

import java.time.Instant;

import org.jspecify.annotations.Nullable;

/**
 * A canary at a moment.
 *
 * @param baselineVersion the version that was current when it began, and is as long as it runs
 * @param end null while it runs
 * @param canary streams of its version
 * @param baseline streams of the current version
 */
public record CanaryReport(
        CanarySpec spec, long baselineVersion, Instant started, @Nullable Ended end, SideFigures canary, SideFigures baseline) {

    /**
     * How it has ended.
     *
     * @param detail numbers and bound of the rule; may be empty
     */
    public record Ended(CanaryEnd why, String detail, Instant at) {}

    /** Whether new streams still begin with its version. */
    public boolean runs() {
        return end == null;
    }
}

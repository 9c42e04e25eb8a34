package dev.tidestream.server.scheduler;

/**
 * Limits of the scheduler.
 *
 * @param maxSequences most sequences that hold KV blocks, at least 1
 * @param maxQueued most sequences that wait for a place, at least 1
 * @param prefillChunkRows most prompt rows in a step that decodes as well, at least 1
 * @param creditTimeoutNs how long a running sequence without demand keeps its place
 * @param progressIntervalNs time between two progress events of a prompt, and before the first
 */
public record SchedulerConfig(
        int maxSequences, int maxQueued, int prefillChunkRows, long creditTimeoutNs, long progressIntervalNs) {
    public SchedulerConfig {
        requirePositive("max_sequences", maxSequences);
        requirePositive("max_queued", maxQueued);
        requirePositive("prefill_chunk_rows", prefillChunkRows);
        requirePositive("credit_timeout_ns", creditTimeoutNs);
        requirePositive("progress_interval_ns", progressIntervalNs);
    }

    private static void requirePositive(String name, long value) {
        if (value < 1) {
            throw new IllegalArgumentException("%s must be at least 1: %s=%d".formatted(name, name, value));
        }
    }
}

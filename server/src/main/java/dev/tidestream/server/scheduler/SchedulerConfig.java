package dev.tidestream.server.scheduler;

/**
 * Limits of the scheduler.
 *
 * @param maxSequences slots: most sequences that run at once, at least 1
 * @param maxSequencesPerConnection most slots that one connection has at once, at least 1
 * @param prefillChunkRows most prompt rows in a step that decodes as well, at least 1
 * @param progressIntervalNs time between two progress events of a prompt, and before the first
 * @param queue of sequences that wait for a slot
 * @param stalled of sequences without demand
 */
public record SchedulerConfig(
        int maxSequences,
        int maxSequencesPerConnection,
        int prefillChunkRows,
        long progressIntervalNs,
        QueueLimits queue,
        StallLimits stalled) {

    public SchedulerConfig {
        requirePositive("max_sequences", maxSequences);
        requirePositive("max_sequences_per_connection", maxSequencesPerConnection);
        requirePositive("prefill_chunk_rows", prefillChunkRows);
        requirePositive("progress_interval_ns", progressIntervalNs);
    }

    static void requirePositive(String name, long value) {
        if (value < 1) {
            throw new IllegalArgumentException("%s must be at least 1: %s=%d".formatted(name, name, value));
        }
    }

    /** The limits of a scheduler as they are now; they may become others between two steps. Decode thread. */
    static final class Live {
        private SchedulerConfig now;

        Live(SchedulerConfig first) {
            now = first;
        }

        SchedulerConfig now() {
            return now;
        }

        QueueLimits queue() {
            return now.queue;
        }

        StallLimits stalled() {
            return now.stalled;
        }

        double batchShare() {
            return now.queue.batchShare();
        }

        /** Takes what can be taken of another configuration: all that a step is not built for. */
        void become(SchedulerConfig newer) {
            now = new SchedulerConfig(now.maxSequences, newer.maxSequencesPerConnection, now.prefillChunkRows, now.progressIntervalNs,
                    newer.queue, newer.stalled);
        }
    }
}

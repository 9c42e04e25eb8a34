package dev.tidestream.loadtest.figures;

import java.util.Map;

/**
 * What became of streams in whose lifetime a worker was killed; of the whole run, warm-up included.
 *
 * @param workers how often each was killed, by name
 * @param disturbed streams that ran when one was
 * @param finished those of them that came to their own end
 * @param lost tokens of them that never came
 * @param repeated tokens of them that came again
 * @param pause the longest gap of each that finished, from the first kill on
 */
public record Kills(Map<String, Long> workers, long disturbed, long finished, long lost, long repeated, Latency pause) {
    public Kills {
        workers = Map.copyOf(workers);
    }

    /** Of all workers. */
    public long count() {
        return workers.values().stream().mapToLong(Long::longValue).sum();
    }
}

package dev.tidestream.server.bench.cluster;

import java.util.List;

/**
 * What came of a simulation.
 *
 * @param phases of the measured time: one, or before, during and after a fault
 * @param busy share of the measured time in which a worker computed, on average
 * @param mostBusy the same of the one that computed most
 * @param movedStreams that went on at another worker in their midst
 * @param pauseMs median of what their clients saw of it: milliseconds between the tokens before and after
 * @param longestPauseMs the longest of these
 */
public record SimResult(
        List<Phase> phases, double busy, double mostBusy, long movedStreams, double pauseMs, double longestPauseMs) {

    public SimResult {
        phases = List.copyOf(phases);
    }

    /**
     * A part of the measured time. Requests count where they came, tokens where they came.
     *
     * @param asked requests
     * @param finished those of them that had all their tokens
     * @param refused requests that no worker could take
     * @param moved requests that were sent to a worker which was dead
     * @param tokensPerS tokens that reached clients
     * @param hitRate share of the tokens of prompts that were not computed, since a worker had them
     * @param mostHitRate the same if every worker had all that any has computed, and forgot nothing
     */
    public record Phase(
            String name,
            double seconds,
            long asked,
            long finished,
            long refused,
            long moved,
            double tokensPerS,
            double hitRate,
            double mostHitRate,
            double ttftP50Ms,
            double ttftP95Ms,
            double ttftP99Ms,
            double gapP50Ms,
            double gapP99Ms,
            double gapP999Ms) {}
}

package dev.tidestream.server.scheduler.status;

/**
 * What the scheduler held at the end of a step.
 *
 * @param running sequences with a slot
 * @param queued sequences with demand that wait for a slot
 * @param queuedBytes what these hold, KV blocks apart
 * @param parked sequences without demand and without a slot
 * @param parkedBytes what these hold, KV blocks apart
 * @param steps forward passes so far
 * @param rows rows of these passes, prompts and generated tokens together
 * @param recomputedRows those of them that had been computed before: for sequences whose KV blocks were taken, or which follow new
 *     weights with a KV cache that is computed anew
 * @param tokensGenerated tokens sampled so far
 * @param slotsGivenBack how often a sequence that had not ended gave its slot back so far
 * @param blocksTaken how often a sequence lost its KV blocks to another so far
 * @param preemptions how often one of these had demand and a slot
 * @param queuedBatch those of the queued that are batch streams
 * @param queuedTokens of the prompts of the queued
 * @param deadlines of streams that had one, so far
 */
public record SchedulerStats(
        int running,
        int queued,
        long queuedBytes,
        int parked,
        long parkedBytes,
        long steps,
        long rows,
        long recomputedRows,
        long tokensGenerated,
        long slotsGivenBack,
        long blocksTaken,
        long preemptions,
        int queuedBatch,
        long queuedTokens,
        Deadlines deadlines) {
    /** Before the first step. */
    public static final SchedulerStats NONE = new SchedulerStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, new Deadlines(0, 0, 0));

    /**
     * What became of deadlines.
     *
     * @param met streams that made their last token in time
     * @param missedWaiting that had made no token when theirs passed
     * @param missedRunning that had made some
     */
    public record Deadlines(long met, long missedWaiting, long missedRunning) {
        private Deadlines since(Deadlines start) {
            return new Deadlines(met - start.met, missedWaiting - start.missedWaiting, missedRunning - start.missedRunning);
        }
    }

    /** The same with streams that were too late before the scheduler knew of them. */
    public SchedulerStats withMissedBefore(long streams) {
        return new SchedulerStats(running, queued, queuedBytes, parked, parkedBytes, steps, rows, recomputedRows, tokensGenerated,
                slotsGivenBack, blocksTaken, preemptions, queuedBatch, queuedTokens,
                new Deadlines(deadlines.met, deadlines.missedWaiting + streams, deadlines.missedRunning));
    }

    /** What has come since: counts are those from {@code start} on, everything else is as it is now. */
    public SchedulerStats since(SchedulerStats start) {
        return new SchedulerStats(running, queued, queuedBytes, parked, parkedBytes, steps - start.steps, rows - start.rows,
                recomputedRows - start.recomputedRows, tokensGenerated - start.tokensGenerated, slotsGivenBack - start.slotsGivenBack,
                blocksTaken - start.blocksTaken, preemptions - start.preemptions, queuedBatch, queuedTokens,
                deadlines.since(start.deadlines));
    }
}

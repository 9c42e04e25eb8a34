package dev.tidestream.server.scheduler;

/**
 * What the scheduler held at the end of a step.
 *
 * @param running sequences with KV blocks
 * @param queued sequences that wait for a place
 * @param steps forward passes so far
 * @param rows rows of these passes, prompts and generated tokens together
 * @param tokensGenerated tokens sampled so far
 */
public record SchedulerStats(int running, int queued, long steps, long rows, long tokensGenerated) {
    static final SchedulerStats NONE = new SchedulerStats(0, 0, 0, 0, 0);
}

package dev.tidestream.server.engine;

/**
 * What the engine holds at a moment.
 *
 * @param running streams with KV blocks
 * @param queued streams that wait for a place
 * @param kvUsedBytes KV memory lent to running streams
 * @param kvBudgetBytes KV memory there is
 * @param steps forward passes so far
 * @param rows rows of these passes, prompts and generated tokens together
 * @param tokensGenerated tokens sampled so far
 * @param liveEpochs versions of the weights in memory
 * @param weightsVersion the newest
 */
public record EngineStats(
        int running,
        int queued,
        long kvUsedBytes,
        long kvBudgetBytes,
        long steps,
        long rows,
        long tokensGenerated,
        int liveEpochs,
        long weightsVersion) {
    /** What has come since: counts are those from {@code start} on, everything else is as it is now. */
    public EngineStats since(EngineStats start) {
        return new EngineStats(running, queued, kvUsedBytes, kvBudgetBytes, steps - start.steps, rows - start.rows,
                tokensGenerated - start.tokensGenerated, liveEpochs, weightsVersion);
    }
}

package dev.tidestream.server.engine;

import dev.tidestream.server.scheduler.kv.KvStats;
import dev.tidestream.server.scheduler.status.SchedulerStats;

/**
 * What the engine holds at a moment.
 *
 * @param streams by what they do
 * @param promptsInIntake prompts that wait for the tokenizer or are with it
 * @param promptBytesInIntake what these hold
 * @param kv KV memory, lent and kept
 * @param liveEpochs versions of the weights in memory
 * @param weightsVersion the newest
 */
public record EngineStats(
        SchedulerStats streams,
        int promptsInIntake,
        long promptBytesInIntake,
        KvStats kv,
        int liveEpochs,
        long weightsVersion) {

    /** Streams with a slot. */
    public int running() {
        return streams.running();
    }

    /** Streams with demand that wait for a slot. */
    public int queued() {
        return streams.queued();
    }

    /** KV memory lent to streams. */
    public long kvUsedBytes() {
        return kv.usedBytes();
    }

    /** KV memory there is. */
    public long kvBudgetBytes() {
        return kv.budgetBytes();
    }

    /** Forward passes so far. */
    public long steps() {
        return streams.steps();
    }

    /** Rows of these passes, prompts and generated tokens together. */
    public long rows() {
        return streams.rows();
    }

    /** Tokens sampled so far. */
    public long tokensGenerated() {
        return streams.tokensGenerated();
    }

    /** What has come since: counts are those from {@code start} on, everything else is as it is now. */
    public EngineStats since(EngineStats start) {
        return new EngineStats(streams.since(start.streams), promptsInIntake, promptBytesInIntake, kv.since(start.kv), liveEpochs,
                weightsVersion);
    }
}

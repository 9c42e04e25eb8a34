package dev.tidestream.server.engine;

import java.util.concurrent.TimeUnit;

import dev.tidestream.server.scheduler.SchedulerConfig;

/**
 * Every limit of the engine.
 *
 * @param maxSequences most streams that run at once, at most the model's rows per step
 * @param kvMemoryBytes most memory of the KV cache
 * @param maxQueued most streams that wait for a place
 * @param maxQueuedPrompts most prompts that wait to be tokenized
 * @param maxPromptBytes longest prompt, in bytes of UTF-8
 * @param prefillChunkRows most prompt rows in a step that decodes as well
 * @param creditTimeoutNs how long a running stream without demand keeps its place
 * @param shutdownGraceNs how long running streams may go on after {@link TokenEngine#close}
 */
public record EngineConfig(
        int maxSequences,
        long kvMemoryBytes,
        int maxQueued,
        int maxQueuedPrompts,
        int maxPromptBytes,
        int prefillChunkRows,
        long creditTimeoutNs,
        long shutdownGraceNs) {
    private static final long PROGRESS_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(500);

    /** 16 streams, 512 MiB of KV cache, 256 waiting, prompts of 1 MiB in chunks of 128 rows, 60 s without credit, 10 s of grace. */
    public static final EngineConfig DEFAULT = new EngineConfig(
            16, 512L << 20, 256, 64, 1 << 20, 128, TimeUnit.SECONDS.toNanos(60), TimeUnit.SECONDS.toNanos(10));

    public EngineConfig {
        requireAtLeast(1, "max_queued_prompts", maxQueuedPrompts);
        requireAtLeast(1, "max_prompt_bytes", maxPromptBytes);
        requireAtLeast(0, "shutdown_grace_ns", shutdownGraceNs);
    }

    private static void requireAtLeast(long least, String name, long value) {
        if (value < least) {
            throw new IllegalArgumentException("%s must be at least %d: %s=%d".formatted(name, least, name, value));
        }
    }

    /** The same with another number of streams. */
    public EngineConfig withMaxSequences(int sequences) {
        return new EngineConfig(sequences, kvMemoryBytes, maxQueued, maxQueuedPrompts, maxPromptBytes, prefillChunkRows,
                creditTimeoutNs, shutdownGraceNs);
    }

    /** The same with another budget for the KV cache. */
    public EngineConfig withKvMemoryBytes(long bytes) {
        return new EngineConfig(maxSequences, bytes, maxQueued, maxQueuedPrompts, maxPromptBytes, prefillChunkRows,
                creditTimeoutNs, shutdownGraceNs);
    }

    SchedulerConfig scheduler() {
        return new SchedulerConfig(maxSequences, maxQueued, prefillChunkRows, creditTimeoutNs, PROGRESS_INTERVAL_NS);
    }
}

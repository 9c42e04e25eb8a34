package dev.tidestream.server.engine;

import java.util.concurrent.TimeUnit;

import dev.tidestream.server.scheduler.QueueLimits;
import dev.tidestream.server.scheduler.SchedulerConfig;
import dev.tidestream.server.scheduler.StallLimits;

/**
 * Every limit of the engine.
 *
 * @param maxSequences most streams that run at once, at most the model's rows per step
 * @param maxSequencesPerConnection most of them that one connection may have
 * @param kvMemoryBytes most memory of the KV cache
 * @param prefixShare most of it that is kept for prompts that begin like others before; 0: nothing is, and nothing is shared
 * @param prefillChunkRows most prompt rows in a step that decodes as well
 * @param shutdownGraceNs how long running streams may go on after {@link TokenEngine#close}
 * @param prompts what may wait for the tokenizer
 * @param queue what may wait for a slot
 * @param stalled what may be without demand
 */
public record EngineConfig(
        int maxSequences,
        int maxSequencesPerConnection,
        long kvMemoryBytes,
        double prefixShare,
        int prefillChunkRows,
        long shutdownGraceNs,
        PromptLimits prompts,
        QueueLimits queue,
        StallLimits stalled) {
    private static final double DEFAULT_PREFIX_SHARE = 0.5;
    private static final long LEAST_DEFAULT_TOKENS = 256;
    private static final long PROGRESS_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(500);

    /**
     * 16 streams, any number of them of one connection, 512 MiB of KV cache, half of which may be kept for prompts to come,
     * prompts in chunks of 128 rows, 10 s of grace; prompts of 1 MiB, 256 of them and 32 MiB at once, 4 MiB of a connection; 256
     * streams and 64 MiB waiting; 1024 streams and 64 MiB parked, for 10 minutes.
     */
    public static final EngineConfig DEFAULT = new EngineConfig(
            16,
            Integer.MAX_VALUE,
            512L << 20,
            DEFAULT_PREFIX_SHARE,
            128,
            TimeUnit.SECONDS.toNanos(10),
            new PromptLimits(256, 1 << 20, 32L << 20, 4L << 20),
            new QueueLimits(256, 64L << 20),
            new StallLimits(1024, 64L << 20, TimeUnit.MINUTES.toNanos(10)));

    /** Half of the KV cache may be kept for prompts to come. */
    public EngineConfig(
            int maxSequences,
            int maxSequencesPerConnection,
            long kvMemoryBytes,
            int prefillChunkRows,
            long shutdownGraceNs,
            PromptLimits prompts,
            QueueLimits queue,
            StallLimits stalled) {
        this(maxSequences, maxSequencesPerConnection, kvMemoryBytes, DEFAULT_PREFIX_SHARE, prefillChunkRows, shutdownGraceNs,
                prompts, queue, stalled);
    }

    public EngineConfig {
        requireAtLeast(0, "shutdown_grace_ns", shutdownGraceNs);
    }

    static void requireAtLeast(long least, String name, long value) {
        if (value < least) {
            throw new IllegalArgumentException("%s must be at least %d: %s=%d".formatted(name, least, name, value));
        }
    }

    /** The same with another number of streams. */
    public EngineConfig withMaxSequences(int sequences) {
        return new EngineConfig(sequences, maxSequencesPerConnection, kvMemoryBytes, prefixShare, prefillChunkRows,
                shutdownGraceNs, prompts, queue, stalled);
    }

    /** The same with another number of running streams of a connection. */
    public EngineConfig withMaxSequencesPerConnection(int sequences) {
        return new EngineConfig(maxSequences, sequences, kvMemoryBytes, prefixShare, prefillChunkRows, shutdownGraceNs,
                prompts, queue, stalled);
    }

    /** The same with another budget for the KV cache. */
    public EngineConfig withKvMemoryBytes(long bytes) {
        return new EngineConfig(maxSequences, maxSequencesPerConnection, bytes, prefixShare, prefillChunkRows, shutdownGraceNs,
                prompts, queue, stalled);
    }

    /** The same with another share of the KV cache that is kept for prompts to come; 0: none. */
    public EngineConfig withPrefixShare(double share) {
        return new EngineConfig(maxSequences, maxSequencesPerConnection, kvMemoryBytes, share, prefillChunkRows, shutdownGraceNs,
                prompts, queue, stalled);
    }

    /** The same with other limits of what waits and of what is parked. */
    public EngineConfig withLimits(PromptLimits promptLimits, QueueLimits queueLimits, StallLimits stallLimits) {
        return new EngineConfig(maxSequences, maxSequencesPerConnection, kvMemoryBytes, prefixShare, prefillChunkRows,
                shutdownGraceNs, promptLimits, queueLimits, stallLimits);
    }

    SchedulerConfig scheduler() {
        return new SchedulerConfig(maxSequences, maxSequencesPerConnection, prefillChunkRows, PROGRESS_INTERVAL_NS, queue, stalled);
    }

    /**
     * Most tokens of a stream that names no limit of its own: its part of the KV cache if as many streams run as may, at least 256, at most
     * what the context and the whole KV cache leave beside the prompt, at least 1. With more, streams that do not end by themselves would
     * take each other's KV memory.
     *
     * @param positions that the KV cache holds
     */
    public int defaultMaxTokens(long positions, int contextLength, int promptTokens) {
        long part = Math.max(LEAST_DEFAULT_TOKENS, positions / maxSequences);
        long room = Math.min(contextLength, positions) - promptTokens;
        return (int) Math.max(1, Math.min(part, room));
    }
}

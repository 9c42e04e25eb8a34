package dev.tidestream.server.cli.options;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.server.cli.terminal.ByteSize;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.engine.PromptLimits;
import dev.tidestream.server.scheduler.QueueLimits;
import dev.tidestream.server.scheduler.StallLimits;

/** Options of {@code serve}: how much streams and prompts may hold, of one connection and in all. */
public final class StreamLimitOptions {
    private static final int MAX_COUNT = 1_000_000;
    private static final int MAX_TIMEOUT_S = 86_400;
    private static final String OFF = "off";
    private static final int DEFAULT_STREAMS = 64;
    private static final int DEFAULT_QUEUED = 256;
    private static final int DEFAULT_QUEUED_TOKENS = 1 << 20;
    private static final int DEFAULT_PARKED = 1024;
    private static final int DEFAULT_PROMPTS = 256;
    private static final int DEFAULT_TIMEOUT_S = 600;

    @Option(names = "--max-queued-memory", paramLabel = "SIZE", defaultValue = "64MiB", converter = ByteSize.Converter.class,
            description = "Memory of streams that wait for their turn, KV memory apart (default: ${DEFAULT-VALUE}).")
    private ByteSize queuedMemory = new ByteSize(EngineConfig.DEFAULT.queue().maxBytes());

    @Option(names = "--max-parked-memory", paramLabel = "SIZE", defaultValue = "64MiB", converter = ByteSize.Converter.class,
            description = "Memory of parked streams, KV memory apart (default: ${DEFAULT-VALUE}).")
    private ByteSize parkedMemory = new ByteSize(EngineConfig.DEFAULT.stalled().maxBytes());

    @Option(names = "--max-prompt-bytes", paramLabel = "SIZE", defaultValue = "1MiB", converter = ByteSize.Converter.class,
            description = "Longest prompt, in UTF-8 (default: ${DEFAULT-VALUE}).")
    private ByteSize promptBytes = new ByteSize(EngineConfig.DEFAULT.prompts().maxPromptBytes());

    @Option(names = "--max-prompt-memory", paramLabel = "SIZE", defaultValue = "32MiB", converter = ByteSize.Converter.class,
            description = "Prompts that wait to be tokenized, of all connections (default: ${DEFAULT-VALUE}).")
    private ByteSize promptMemory = new ByteSize(EngineConfig.DEFAULT.prompts().maxBytes());

    @Option(names = "--max-prompt-memory-per-connection", paramLabel = "SIZE", defaultValue = "4MiB", converter = ByteSize.Converter.class,
            description = "The same of one connection (default: ${DEFAULT-VALUE}).")
    private ByteSize promptMemoryPerConnection = new ByteSize(EngineConfig.DEFAULT.prompts().maxBytesPerConnection());

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    private int maxStreams = DEFAULT_STREAMS;
    private int sequencesPerConnection = Integer.MAX_VALUE;
    private int maxQueued = DEFAULT_QUEUED;
    private int maxQueuedTokens = DEFAULT_QUEUED_TOKENS;
    private double batchShare = QueueLimits.DEFAULT_BATCH_SHARE;
    private int maxParked = DEFAULT_PARKED;
    private int maxPrompts = DEFAULT_PROMPTS;
    private int stallTimeoutS = DEFAULT_TIMEOUT_S;
    private double prefixShare = EngineConfig.DEFAULT.prefixShare();

    @Option(names = "--max-streams", paramLabel = "N", defaultValue = "" + DEFAULT_STREAMS,
            description = "Streams of one connection: running, waiting and parked (default: ${DEFAULT-VALUE}).")
    void setMaxStreams(int value) {
        maxStreams = Check.range(spec, "--max-streams", value, 1, MAX_COUNT);
    }

    @Option(names = "--max-sequences-per-connection", paramLabel = "N",
            description = "Streams of one connection that run at the same time (default: as many as --max-sequences; "
                    + "one with several gives way to a connection that has none).")
    void setSequencesPerConnection(int value) {
        sequencesPerConnection = Check.range(spec, "--max-sequences-per-connection", value, 1, MAX_COUNT);
    }

    @Option(names = "--max-queued", paramLabel = "N", defaultValue = "" + DEFAULT_QUEUED,
            description = "Streams that wait for their turn; more are refused as busy (default: ${DEFAULT-VALUE}).")
    void setMaxQueued(int value) {
        maxQueued = Check.range(spec, "--max-queued", value, 1, MAX_COUNT);
    }

    @Option(names = "--max-queued-tokens", paramLabel = "N", defaultValue = "" + DEFAULT_QUEUED_TOKENS,
            description = "Tokens of the prompts of streams that wait for their turn; more are refused as busy "
                    + "(default: ${DEFAULT-VALUE}).")
    void setMaxQueuedTokens(int value) {
        maxQueuedTokens = Check.range(spec, "--max-queued-tokens", value, 1, Integer.MAX_VALUE);
    }

    @Option(names = "--batch-share", paramLabel = "SHARE|off", defaultValue = "0.1",
            description = "Share of the tokens, above 0 and below 1, that streams of priority batch are served while interactive "
                    + "ones wait; off: they wait for all of these (default: ${DEFAULT-VALUE}).")
    void setBatchShare(String value) {
        batchShare = value.equals(OFF) ? 0 : Check.share(spec, "--batch-share", value, OFF);
        if (batchShare >= 1) {
            throw new ParameterException(spec.commandLine(), "--batch-share must be below 1: 1, for example --batch-share 0.1");
        }
    }

    @Option(names = "--max-parked", paramLabel = "N", defaultValue = "" + DEFAULT_PARKED,
            description = "Streams whose clients take nothing, and which others have replaced (default: ${DEFAULT-VALUE}).")
    void setMaxParked(int value) {
        maxParked = Check.range(spec, "--max-parked", value, 1, MAX_COUNT);
    }

    @Option(names = "--stall-timeout", paramLabel = "SECONDS", defaultValue = "" + DEFAULT_TIMEOUT_S,
            description = "How long a client may take nothing of a stream, or of an answer over HTTP, before that is ended "
                    + "(default: ${DEFAULT-VALUE}).")
    void setStallTimeout(int value) {
        stallTimeoutS = Check.range(spec, "--stall-timeout", value, 1, MAX_TIMEOUT_S);
    }

    @Option(names = "--max-prompts", paramLabel = "N", defaultValue = "" + DEFAULT_PROMPTS,
            description = "Prompts that wait to be tokenized; more are refused as busy (default: ${DEFAULT-VALUE}).")
    void setMaxPrompts(int value) {
        maxPrompts = Check.range(spec, "--max-prompts", value, 1, MAX_COUNT);
    }

    @Option(names = "--prefix-cache", paramLabel = "SHARE|off", defaultValue = "0.5",
            description = "Share of the KV memory, above 0 and at most 1, that may be kept for prompts that begin like others; "
                    + "off: keys and values are shared by nobody (default: ${DEFAULT-VALUE}).")
    void setPrefixCache(String value) {
        prefixShare = value.equals(OFF) ? 0 : Check.share(spec, "--prefix-cache", value, OFF);
    }

    /** How long a client may take nothing. */
    public Duration stallTimeout() {
        return Duration.ofSeconds(stallTimeoutS);
    }

    /** Of one connection. */
    public int maxStreams() {
        return maxStreams;
    }

    /** The same configuration with these limits. */
    public EngineConfig applyTo(EngineConfig engine) {
        long prompt = Check.range(spec, "--max-prompt-bytes", promptBytes.bytes(), 1, Integer.MAX_VALUE);
        long ofOne = Check.range(
                spec, "--max-prompt-memory-per-connection", promptMemoryPerConnection.bytes(), prompt, Long.MAX_VALUE);
        long ofAll = Check.range(spec, "--max-prompt-memory", promptMemory.bytes(), ofOne, Long.MAX_VALUE);
        return engine
                .withMaxSequencesPerConnection(sequencesPerConnection)
                .withPrefixShare(prefixShare)
                .withLimits(
                        new PromptLimits(maxPrompts, (int) prompt, ofAll, ofOne),
                        new QueueLimits(maxQueued, Check.range(spec, "--max-queued-memory", queuedMemory.bytes(), 1, Long.MAX_VALUE),
                                maxQueuedTokens, batchShare),
                        new StallLimits(
                                maxParked,
                                Check.range(spec, "--max-parked-memory", parkedMemory.bytes(), 1, Long.MAX_VALUE),
                                TimeUnit.SECONDS.toNanos(stallTimeoutS)));
    }
}

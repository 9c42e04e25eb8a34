package dev.tidestream.server.cli;

import java.nio.file.Path;
import java.time.Duration;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.server.admin.build.VersionLimit;
import dev.tidestream.server.admin.store.CheckpointPolicy;
import dev.tidestream.server.admin.store.UpdateLogLimits;
import dev.tidestream.server.admin.store.open.OpenLimits;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.cli.terminal.ByteSize;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.transport.TokenLimit;

/** Options of {@code serve} for administrators: versions of the weights, memory, and the channel's token. */
public final class LiveUpdateOptions {
    private static final int MAX_LIVE_VERSIONS = 1024;
    private static final int DEFAULT_LIVE_VERSIONS = 4;
    private static final int DEFAULT_WAIT_S = 60;
    private static final int MAX_KEPT_VERSIONS = 100_000; // so that the manifest can be read
    private static final int DEFAULT_KEPT_VERSIONS = 10_000;
    private static final int MAX_TOKEN_RATE = 1_000_000;
    private static final int MAX_WAIT_S = 86_400;
    private static final double DEFAULT_SHARE = 0.25;
    private static final int MAX_OPEN_UPDATES = 1_000;
    private static final int DEFAULT_OPEN_MINUTES = 1_440;
    private static final int MAX_OPEN_MINUTES = 525_600; // a year

    @Option(names = "--data-dir", paramLabel = "DIR",
            description = "Where versions of the weights are kept; without it, the server takes no weight updates.")
    private @Nullable Path dataDir;

    @Option(names = "--update-dir", paramLabel = "DIR",
            description = "Where updates may come from as safetensors files; without it, they come over the channel only.")
    private @Nullable Path updateDir;

    @Option(names = "--admin-token-file", paramLabel = "FILE",
            description = "The token of administrators, in one line (default: one is made up and printed once).")
    private @Nullable Path tokenFile;

    @Option(names = "--memory-budget", paramLabel = "SIZE", converter = ByteSize.Converter.class,
            description = "Memory for weights of all live versions, derived layouts and KV cache (default: 80 %% of this machine's).")
    private @Nullable ByteSize memoryBudget;

    @Option(names = "--max-kept-bytes", paramLabel = "SIZE", defaultValue = "64GiB", converter = ByteSize.Converter.class,
            description = "Payloads of all versions in the data directory; past that, updates are refused (default: ${DEFAULT-VALUE}).")
    private ByteSize maxKeptBytes = new ByteSize(UpdateLogLimits.DEFAULT.maxTotalBytes());

    @Option(names = "--checkpoint-bytes", paramLabel = "SIZE", defaultValue = "256MiB", converter = ByteSize.Converter.class,
            description = "Payloads that a start may have to apply; past that, a checkpoint is written (default: ${DEFAULT-VALUE}).")
    private ByteSize checkpointBytes = new ByteSize(CheckpointPolicy.DEFAULT.bytes());

    @Option(names = "--max-part-bytes", paramLabel = "SIZE", defaultValue = "4GiB", converter = ByteSize.Converter.class,
            description = "Largest part of an update of many tensors (default: ${DEFAULT-VALUE}).")
    private ByteSize maxPartBytes = new ByteSize(OpenLimits.DEFAULT.maxPartBytes());

    @Option(names = "--max-open-update-bytes", paramLabel = "SIZE", defaultValue = "16GiB", converter = ByteSize.Converter.class,
            description = "Parts of all updates that are not committed; past that, parts are refused (default: ${DEFAULT-VALUE}).")
    private ByteSize maxOpenBytes = new ByteSize(OpenLimits.DEFAULT.maxBytes());

    /** What a change does when as many versions are alive as may be. */
    enum WhenFull {
        WAIT,
        REFUSE
    }

    @Option(names = "--when-versions-full", paramLabel = "ACTION", defaultValue = "WAIT",
            description = "What a change does when too many versions are alive: wait or refuse (default: wait).")
    private WhenFull whenFull = WhenFull.WAIT;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    private int maxLiveVersions = DEFAULT_LIVE_VERSIONS;
    private int waitS = DEFAULT_WAIT_S;
    private int maxKeptVersions = DEFAULT_KEPT_VERSIONS;
    private int checkpointUpdates = CheckpointPolicy.DEFAULT.updates();
    private int maxOpenUpdates = OpenLimits.DEFAULT.maxOpen();
    private int openUpdateMinutes = DEFAULT_OPEN_MINUTES;
    private double builderShare = DEFAULT_SHARE;
    private double tokenRate = TokenLimit.DEFAULT.perSecond();
    private int tokenBurst = TokenLimit.DEFAULT.burst();

    @Option(names = "--max-live-versions", paramLabel = "N", defaultValue = "" + DEFAULT_LIVE_VERSIONS,
            description = "Versions of the weights in memory at the same time, the current one included; "
                    + "one with two head modes counts twice (default: ${DEFAULT-VALUE}).")
    void setMaxLiveVersions(int value) {
        maxLiveVersions = Check.range(spec, "--max-live-versions", value, 2, MAX_LIVE_VERSIONS);
    }

    @Option(names = "--version-wait", paramLabel = "SECONDS", defaultValue = "" + DEFAULT_WAIT_S,
            description = "How long a change waits for old versions to end (default: ${DEFAULT-VALUE}).")
    void setWait(int value) {
        waitS = Check.range(spec, "--version-wait", value, 1, MAX_WAIT_S);
    }

    @Option(names = "--max-kept-versions", paramLabel = "N", defaultValue = "" + DEFAULT_KEPT_VERSIONS,
            description = "Versions in the data directory, rollbacks included; past that, updates are refused (default: ${DEFAULT-VALUE}).")
    void setMaxKeptVersions(int value) {
        maxKeptVersions = Check.range(spec, "--max-kept-versions", value, 1, MAX_KEPT_VERSIONS);
    }

    @Option(names = "--max-open-updates", paramLabel = "N", defaultValue = "4",
            description = "Updates of many tensors that may be open at the same time (default: ${DEFAULT-VALUE}).")
    void setMaxOpenUpdates(int value) {
        maxOpenUpdates = Check.range(spec, "--max-open-updates", value, 1, MAX_OPEN_UPDATES);
    }

    @Option(names = "--open-update-minutes", paramLabel = "MINUTES", defaultValue = "" + DEFAULT_OPEN_MINUTES,
            description = "How long an open update is kept after its last part has come (default: ${DEFAULT-VALUE}).")
    void setOpenUpdateMinutes(int value) {
        openUpdateMinutes = Check.range(spec, "--open-update-minutes", value, 1, MAX_OPEN_MINUTES);
    }

    @Option(names = "--checkpoint-updates", paramLabel = "N", defaultValue = "16",
            description = "Changes of a tensor that a start may have to apply; past that, a checkpoint is written; 0 for never (default: ${DEFAULT-VALUE}).")
    void setCheckpointUpdates(int value) {
        checkpointUpdates = Check.range(spec, "--checkpoint-updates", value, 0, MAX_KEPT_VERSIONS);
    }

    @Option(names = "--builder-share", paramLabel = "SHARE", defaultValue = "" + DEFAULT_SHARE,
            description = "Share of the time that a change may take between the steps of running streams, above 0; 1 makes no way (default: ${DEFAULT-VALUE}).")
    void setBuilderShare(double value) {
        if (!(value > 0 && value <= 1)) {
            throw new ParameterException(
                    spec.commandLine(), "--builder-share must be above 0 and at most 1: " + value);
        }
        builderShare = value;
    }

    @Option(names = "--admin-token-rate", paramLabel = "N", defaultValue = "1",
            description = "Wrong admin tokens per second that one address may try, in the long run (default: ${DEFAULT-VALUE}).")
    void setTokenRate(double value) {
        if (!(value > 0 && value <= MAX_TOKEN_RATE)) {
            throw new ParameterException(
                    spec.commandLine(), "--admin-token-rate must be above 0 and at most %d: %s".formatted(MAX_TOKEN_RATE, value));
        }
        tokenRate = value;
    }

    @Option(names = "--admin-token-burst", paramLabel = "N", defaultValue = "10",
            description = "Wrong admin tokens that one address may try at once (default: ${DEFAULT-VALUE}).")
    void setTokenBurst(int value) {
        tokenBurst = Check.range(spec, "--admin-token-burst", value, 1, MAX_TOKEN_RATE);
    }

    /** What these options say. */
    ServerConfig.Updates config() {
        VersionLimit live = new VersionLimit(maxLiveVersions, switch (whenFull) {
            case WAIT -> Duration.ofSeconds(waitS);
            case REFUSE -> Duration.ZERO;
        });
        return new ServerConfig.Updates(dataDir, updateDir, tokenFile, memoryBudget == null ? null : Math.max(1, memoryBudget.bytes()),
                live,
                new UpdateLogLimits(maxKeptVersions, Math.max(1, maxKeptBytes.bytes()), UpdateLogLimits.DEFAULT.maxSpools(),
                        new OpenLimits(maxOpenUpdates, OpenLimits.DEFAULT.maxParts(), Math.max(1, maxPartBytes.bytes()),
                                Math.max(1, maxOpenBytes.bytes()), Duration.ofMinutes(openUpdateMinutes))),
                new CheckpointPolicy(checkpointUpdates, Math.max(1, checkpointBytes.bytes())),
                builderShare,
                new TokenLimit(tokenRate, tokenBurst, TokenLimit.DEFAULT.maxAddresses()));
    }
}

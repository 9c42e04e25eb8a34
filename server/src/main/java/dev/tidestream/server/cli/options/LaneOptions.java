package dev.tidestream.server.cli.options;

import java.time.Duration;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import dev.tidestream.server.cli.terminal.ByteSize;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.openai.lanes.LaneLimits;

/** Options of {@code serve} for responses over WebSockets, which have lanes. */
public final class LaneOptions {
    private static final int MAX_COUNT = 1_000_000;
    private static final int MAX_MINUTES = 525_600;
    private static final int DEFAULT_LANES = 32;
    private static final int DEFAULT_RESPONSES = 16;
    private static final int DEFAULT_WAITING = 64;
    private static final int DEFAULT_MINUTES = 60;

    @Option(names = "--max-lane-memory", paramLabel = "SIZE", defaultValue = "64MiB", converter = ByteSize.Converter.class,
            description = "What waits on lanes, and the latest response of each, of all connections (default: ${DEFAULT-VALUE}).")
    private ByteSize memory = new ByteSize(LaneLimits.DEFAULT.maxBytes());

    @Option(names = "--max-lane-memory-per-connection", paramLabel = "SIZE", defaultValue = "8MiB", converter = ByteSize.Converter.class,
            description = "The same of one connection (default: ${DEFAULT-VALUE}).")
    private ByteSize memoryPerConnection = new ByteSize(LaneLimits.DEFAULT.maxBytesPerConnection());

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    private int maxLanes = DEFAULT_LANES;
    private int maxResponses = DEFAULT_RESPONSES;
    private int maxWaiting = DEFAULT_WAITING;
    private int maxMinutes = DEFAULT_MINUTES;

    @Option(names = "--max-lanes", paramLabel = "N", defaultValue = "" + DEFAULT_LANES,
            description = "Names of lanes on one WebSocket of /v1/responses, in all its time (default: ${DEFAULT-VALUE}).")
    void setMaxLanes(int value) {
        maxLanes = Check.range(spec, "--max-lanes", value, 1, MAX_COUNT);
    }

    @Option(names = "--max-lane-responses", paramLabel = "N", defaultValue = "" + DEFAULT_RESPONSES,
            description = "Responses that are made on one of them at the same time; more wait (default: ${DEFAULT-VALUE}).")
    void setMaxResponses(int value) {
        maxResponses = Check.range(spec, "--max-lane-responses", value, 1, MAX_COUNT);
    }

    @Option(names = "--max-lane-waiting", paramLabel = "N", defaultValue = "" + DEFAULT_WAITING,
            description = "How many wait; more are refused as overloaded (default: ${DEFAULT-VALUE}).")
    void setMaxWaiting(int value) {
        maxWaiting = Check.range(spec, "--max-lane-waiting", value, 1, MAX_COUNT);
    }

    @Option(names = "--max-lane-minutes", paramLabel = "MINUTES", defaultValue = "" + DEFAULT_MINUTES,
            description = "How long such a WebSocket may be open (default: ${DEFAULT-VALUE}).")
    void setMaxMinutes(int value) {
        maxMinutes = Check.range(spec, "--max-lane-minutes", value, 1, MAX_MINUTES);
    }

    /** What they say. */
    public LaneLimits config() {
        long ofOne = Check.range(spec, "--max-lane-memory-per-connection", memoryPerConnection.bytes(), 1, Long.MAX_VALUE);
        long ofAll = Check.range(spec, "--max-lane-memory", memory.bytes(), ofOne, Long.MAX_VALUE);
        return new LaneLimits(maxLanes, maxResponses, maxWaiting, ofAll, ofOne, Duration.ofMinutes(maxMinutes));
    }
}

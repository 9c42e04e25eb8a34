package dev.tidestream.server.cli.options;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import dev.tidestream.server.canary.ShadowLimits;
import dev.tidestream.server.cli.terminal.ByteSize;
import dev.tidestream.server.cli.terminal.Check;

/** What a shadow of the weights may cost. */
public final class ShadowOptions {
    private static final int MAX_STREAMS = 1024;
    private static final int MAX_ROWS = 128;

    @Option(names = "--shadow-memory", paramLabel = "SIZE", defaultValue = "64MiB", converter = ByteSize.Converter.class,
            description = "Keys and values of a shadow, beside --kv-memory (default: ${DEFAULT-VALUE}).")
    private ByteSize memory = new ByteSize(ShadowLimits.DEFAULT.kvBytes());

    private int streams = ShadowLimits.DEFAULT.maxStreams();
    private int rows = ShadowLimits.DEFAULT.maxRows();

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--shadow-streams", paramLabel = "N", defaultValue = "4",
            description = "Live streams that a shadow is compared with at the same time, at most (default: ${DEFAULT-VALUE}).")
    void setStreams(int value) {
        streams = Check.range(spec, "--shadow-streams", value, 1, MAX_STREAMS);
    }

    @Option(names = "--shadow-rows", paramLabel = "N", defaultValue = "16",
            description = "Rows that a shadow computes in a step, at most (default: ${DEFAULT-VALUE}).")
    void setRows(int value) {
        rows = Check.range(spec, "--shadow-rows", value, 1, MAX_ROWS);
    }

    /** What they say. */
    public ShadowLimits limits() {
        return new ShadowLimits(streams, rows, Math.max(1, memory.bytes()));
    }
}

package dev.tidestream.server.cli.options;

import java.time.Duration;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import dev.tidestream.server.cli.terminal.ByteSize;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.resume.ResumeLimits;

/** Options of streams that outlive their connections. */
public final class ResumeOptions {
    private static final int MAX_WINDOW_S = 86_400;
    private static final int MAX_STREAMS = 1_000_000;

    @Option(names = "--resume-memory", paramLabel = "SIZE", converter = ByteSize.Converter.class, defaultValue = "64MiB",
            description = "Memory for tokens that can be sent again (default: ${DEFAULT-VALUE}).")
    ByteSize memory = new ByteSize(64L << 20);

    @Option(names = "--resume-disk", paramLabel = "SIZE", converter = ByteSize.Converter.class, defaultValue = "256MiB",
            description = "Most bytes below --data-dir for streams that survive a restart (default: ${DEFAULT-VALUE}).")
    ByteSize disk = new ByteSize(256L << 20);

    private int windowS = 60;
    private int maxStreams = 1024;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = "--resume-window", paramLabel = "SECONDS", defaultValue = "60",
            description = "How long a stream that can be resumed is kept without a connection; 0: none is (default: ${DEFAULT-VALUE}).")
    void setWindow(int seconds) {
        windowS = Check.range(spec, "--resume-window", seconds, 0, MAX_WINDOW_S);
    }

    @Option(names = "--max-resumable", paramLabel = "N", defaultValue = "1024",
            description = "Streams that can be resumed, at most (default: ${DEFAULT-VALUE}).")
    void setMaxStreams(int value) {
        maxStreams = Check.range(spec, "--max-resumable", value, 1, MAX_STREAMS);
    }

    /** What they say. */
    public ResumeLimits config() {
        return new ResumeLimits(Duration.ofSeconds(windowS), maxStreams, Math.max(memory.bytes(), maxStreams), disk.bytes());
    }
}

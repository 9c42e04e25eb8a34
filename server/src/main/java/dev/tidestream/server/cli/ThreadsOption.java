package dev.tidestream.server.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** How many threads compute. The tokens do not depend on it. */
final class ThreadsOption {
    private static final int MAX = 1024;

    private @Nullable Integer threads;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = {"-t", "--threads"}, paramLabel = "N", description = "Threads that compute (default: one per core).")
    void setThreads(int value) {
        threads = Check.range(spec, "--threads", value, 1, MAX);
    }

    int count() {
        return threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    }
}

package dev.tidestream.server.cli.options;

import picocli.CommandLine.Option;

import dev.tidestream.server.logging.LogFormat;

/** What the log looks like. */
public final class LogOptions {
    @Option(names = "--log-format", paramLabel = "FORMAT", defaultValue = "TEXT",
            description = "The log on stderr: ${COMPLETION-CANDIDATES}; JSON is an object a line (default: ${DEFAULT-VALUE}).")
    private LogFormat format = LogFormat.TEXT;

    /** Makes it look like that from now on. */
    public void apply() {
        format.apply();
    }
}

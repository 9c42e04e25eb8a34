package dev.tidestream.server.cli;

import picocli.CommandLine.Option;

import dev.tidestream.server.logging.LogFormat;

/** What the log looks like. */
final class LogOptions {
    @Option(names = "--log-format", paramLabel = "FORMAT", defaultValue = "TEXT",
            description = "The log on stderr: ${COMPLETION-CANDIDATES}; JSON is an object a line (default: ${DEFAULT-VALUE}).")
    LogFormat format = LogFormat.TEXT;
}

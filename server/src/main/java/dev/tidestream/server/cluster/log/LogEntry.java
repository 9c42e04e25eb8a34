package dev.tidestream.server.cluster.log;

/** What followers of the log are told. */
public sealed interface LogEntry {

    /**
     * A version is committed.
     *
     * @param version of the weights; rises by one from entry to entry
     */
    record Version(long version, Manifest manifest) implements LogEntry {}

    /**
     * A version is the one for new streams.
     *
     * @param version never less than before
     */
    record Published(long version) implements LogEntry {}
}

package dev.tidestream.server.cluster.log;

/** What stands in the log. */
sealed interface LogCommand {
    /** Becomes the next version, if it still fits. */
    record Propose(Manifest manifest) implements LogCommand {}

    /** Becomes the version for new streams, if it is newer. */
    record Publish(long version) implements LogCommand {}
}

package dev.tidestream.server.cluster;

import java.util.Locale;

/** What a node does in a cluster; it may do several things. The wire form is the lower-case name. */
public enum NodeRole {
    /** Answers clients, and has streams computed by workers. */
    GATEWAY,
    /** Computes streams. */
    WORKER,
    /** Keeps the log of weight versions. */
    KEEPER;

    /** As it stands in {@code --roles}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}

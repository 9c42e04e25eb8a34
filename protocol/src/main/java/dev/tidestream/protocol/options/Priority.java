package dev.tidestream.protocol.options;

import java.util.Locale;

/** How urgent a stream is; the wire form is the lower-case name. */
public enum Priority {
    /** Somebody waits for it: the default. */
    INTERACTIVE,
    /** It may wait for all interactive ones, but for a share of the computation that is kept for streams like it. */
    BATCH;

    /** As it stands in a frame, e.g. {@code batch}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}

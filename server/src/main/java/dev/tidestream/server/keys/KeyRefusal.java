package dev.tidestream.server.keys;

import java.util.Locale;

/** Why a request was refused for its key; the label of a metric. */
public enum KeyRefusal {
    /** No key was shown. */
    MISSING,
    /** What was shown is no key of this server. */
    WRONG,
    /** The key was taken out of the file while its connection was open. */
    REVOKED,
    /** As many requests as a minute allows have come. */
    REQUESTS_PER_MINUTE,
    /** As many tokens as a minute allows were used, or more. */
    TOKENS_PER_MINUTE,
    /** As many streams as the key may have run. */
    STREAMS;

    /** As it stands in a metric. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}

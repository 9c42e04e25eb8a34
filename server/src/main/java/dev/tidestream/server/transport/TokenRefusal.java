package dev.tidestream.server.transport;

import java.util.Locale;

/** Why somebody was not let in as an administrator. */
public enum TokenRefusal {
    /** No token was shown. */
    MISSING,
    /** Another token than the right one, or more than one. */
    WRONG,
    /** The API key of a client. */
    API_KEY,
    /** The address had shown too many wrong ones: this one was not looked at, or it was wrong, too. */
    THROTTLED;

    /** As it stands in a metric and in the log. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}

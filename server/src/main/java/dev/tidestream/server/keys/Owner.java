package dev.tidestream.server.keys;

/**
 * Whose a request is: that of equal owners is one client's, over however many connections.
 *
 * @param name of the key that was shown; empty for {@link #ANYBODY}
 */
public record Owner(String name) {
    /** Who uses a server without keys: all are one. */
    public static final Owner ANYBODY = new Owner("");
}

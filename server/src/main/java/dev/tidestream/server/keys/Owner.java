package dev.tidestream.server.keys;

/**
 * Whose a request is: that of equal owners is one client's, over however many connections.
 *
 * @param name of the key that was shown; empty for {@link #ANYBODY}
 */
public record Owner(String name) {
    /** Who uses a server without keys: all are one. */
    public static final Owner ANYBODY = new Owner("");

    /**
     * Who shares the server with others: whose requests are equal here has one share for all of them, over however many connections.
     *
     * @param remote address and port that the connection came from; whoever shows no key is known by the address
     */
    public Object at(String remote) {
        return equals(ANYBODY) ? "address " + remote.substring(0, Math.max(0, remote.lastIndexOf(':'))) : this;
    }
}

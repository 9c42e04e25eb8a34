package dev.tidestream.server.transport.endpoint;

import java.util.function.Predicate;

/**
 * Who may use an endpoint. Judged before the method of a request is, so that a stranger learns nothing of what is behind.
 *
 * @param anyHost whether it may be asked under any name of the server, and by pages of any origin; for what says nothing of streams
 * @param needsKey whether an API key must be shown, if the server has any
 * @param counted whether each request counts against the limits of its key
 * @param admits lets a request in; answers the one that it does not let in
 */
public record Auth(boolean anyHost, boolean needsKey, boolean counted, Predicate<Exchange> admits) {
    /** Everybody, so that probes need not know a name of the server. */
    public static final Auth ANY_HOST = new Auth(true, false, false, exchange -> true);

    /** Whoever uses a name that this server goes by, is no page of a foreign origin, and has a key if the server has any. */
    public static final Auth OWN_HOST = new Auth(false, true, false, exchange -> true);

    /** Of those, whoever has not used up the requests and tokens of the key: for what is computed. */
    public static final Auth COUNTED = new Auth(false, true, true, exchange -> true);

    /** Whoever uses a name of the server, and is let in; no API key does that. */
    public static Auth of(Predicate<Exchange> admits) {
        return new Auth(false, false, false, admits);
    }
}

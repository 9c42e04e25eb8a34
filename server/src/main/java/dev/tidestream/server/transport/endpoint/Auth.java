package dev.tidestream.server.transport.endpoint;

import java.util.function.Predicate;

/**
 * Who may use an endpoint. Judged before the method of a request is, so that a stranger learns nothing of what is behind.
 *
 * @param anyHost whether it may be asked under any name of the server, and by pages of any origin; for what says nothing of streams
 * @param admits lets a request in; answers the one that it does not let in
 */
public record Auth(boolean anyHost, Predicate<Exchange> admits) {
    /** Everybody, so that probes need not know a name of the server. */
    public static final Auth ANY_HOST = new Auth(true, exchange -> true);

    /** Whoever uses a name that this server goes by, and is no page of a foreign origin. */
    public static final Auth OWN_HOST = new Auth(false, exchange -> true);

    /** Of those, whoever is let in. */
    public static Auth of(Predicate<Exchange> admits) {
        return new Auth(false, admits);
    }
}

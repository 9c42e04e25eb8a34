package dev.tidestream.loadtest.run;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.Promise;

/** Connections that are gone though nobody here wanted it, and what becomes of their streams. On the I/O thread. */
final class Losses {
    /** Of a stream that ended with a worker that was killed, and had no name to go on by. */
    private static final String KILLED = "worker_killed";
    private static final int MAX_REFUSALS = 5;

    private final Servers servers;
    private final Ledger ledger;
    private final Killer killer;
    private int refusals;

    Losses(Servers servers, Ledger ledger, Killer killer) {
        this.servers = servers;
        this.ledger = ledger;
        this.killer = killer;
    }

    void opened() {
        refusals = 0;
    }

    /**
     * Judges a connection that was lost. Where one of several servers may be a worker that was killed, its streams go on at another
     * server if they can; otherwise the server has broken a promise.
     *
     * @param first whether the run has not begun
     * @return why the run cannot go on; null if it can
     */
    @Nullable
    String lost(Lane lane, List<Stream> broken, String why, boolean first, long nowNs) {
        ledger.whole().error(lane.everOpened() ? "connection_lost" : "connection_refused");
        boolean killed = servers.size() > 1 && killer.lately(nowNs);
        if (!lane.everOpened() && !killed && (++refusals >= MAX_REFUSALS || first)) {
            return "cannot connect to " + servers.get(lane.server).name() + ": " + why;
        }
        for (Stream stream : broken) {
            if (killed && stream.check.resumeName() != null) {
                stream.dropped = true;
                continue;
            }
            if (killed) {
                stream.check.failed(KILLED);
                ledger.whole().error(KILLED, "not finished after " + stream.check.tokens() + " tokens: " + why);
            } else {
                stream.check.broken(Promise.CONNECTION, "not finished after " + stream.check.tokens() + " tokens: " + why);
            }
            ledger.failed(stream);
        }
        return null;
    }
}

package dev.tidestream.server.cluster.gateway;

import java.io.Serial;

/** A worker is gone, or says nothing any more; its streams go on elsewhere. */
public final class WorkerLostException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** @param why in words, for the log */
    public WorkerLostException(String node, String why) {
        super("worker lost: node=%s: %s".formatted(node, why), null, false, false); // nobody looks at where it was made
    }
}

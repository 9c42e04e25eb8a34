package dev.tidestream.server.transport;

import java.util.Locale;

/** Whether a server can be sent requests, and why not; {@code /health/ready} answers 200 or 503, with the name. */
public enum Readiness {
    /** The model is being loaded, or its kernels are being compiled. */
    STARTING,
    READY,
    /** Streams that run may finish; no others are taken. */
    STOPPING,
    /** A fault has ended the engine: no stream is served until the server is started anew. */
    FAILED;

    String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}

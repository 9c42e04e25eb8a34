package dev.tidestream.server.cluster.wire;

/** Names of the wire between nodes. */
public final class ClusterProtocol {
    /** Where a worker listens for gateways. */
    public static final String PATH = "/internal/streams";
    /** The WebSocket subprotocol, which gateways must offer. */
    public static final String SUBPROTOCOL = "tidestream.cluster.v1";
    /** Most streams that one gateway may have on one worker, unless told otherwise. */
    public static final int DEFAULT_STREAMS = 4096;

    private ClusterProtocol() {}
}

package dev.tidestream.server.cluster.wire;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.engine.TokenEvent;

/**
 * What a worker says to a gateway.
 *
 * <pre>
 * ["hello", node, model]   ["drain"]   [id, kind, …]
 * </pre>
 */
public sealed interface WorkerFrame {

    /**
     * The first frame of a connection: who is there.
     *
     * @param node name of the node
     * @param model what decides the bits of its tokens, weight updates apart
     */
    record Hello(String node, String model) implements WorkerFrame {}

    /** It takes no more streams, and would like those that it has to go on elsewhere. */
    record Drain() implements WorkerFrame {}

    /** An event of a stream; each uses one unit of its demand. */
    record Event(long id, TokenEvent event) implements WorkerFrame {}

    /** A stream was refused, or has failed; nothing of it follows. */
    record Failed(long id, ErrorCode code, String message) implements WorkerFrame {}

    /** The gateway said something that is no frame; the connection is closed after that. */
    record Fault(String message) implements WorkerFrame {}
}

package dev.tidestream.server.cluster.wire;

import dev.tidestream.server.engine.GenerateRequest;

/**
 * What a gateway says to a worker. Streams have numbers that rise, chosen by the gateway, for one connection.
 *
 * <pre>
 * ["start", id, demand, {request}]   ["credit", id, n]   ["stop", id]   ["cancel", id]
 * </pre>
 */
public sealed interface GatewayFrame {
    /** The stream. */
    long id();

    /**
     * A stream begins.
     *
     * @param demand events that may be sent at once, at least 0
     */
    record Start(long id, long demand, GenerateRequest request) implements GatewayFrame {}

    /** So many more events may be sent, at least 1. */
    record Credit(long id, long events) implements GatewayFrame {}

    /** It is to end before its next step, with a word. */
    record Stop(long id) implements GatewayFrame {}

    /** Nobody listens any more. */
    record Cancel(long id) implements GatewayFrame {}
}

package dev.tidestream.server.transport;

import dev.tidestream.server.keys.KeyAccount;
import dev.tidestream.server.tracing.RequestTrace;
import dev.tidestream.server.transport.common.RefusedRequests;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Session;
import dev.tidestream.server.transport.websocket.Connection;

/**
 * Another wire over WebSockets, at a path of its own, which POST and others may share. Its clients need not name a subprotocol. The
 * largest message of a connection is what the largest body of a request is when it is opened.
 *
 * @param subprotocol the one that is chosen if a client offers it, as those in browsers must that offer any
 * @param sessions makes the session of a new connection; on the event loop
 */
public record WebSocketWire(String path, String subprotocol, Maker sessions) {

    /** Makes sessions. */
    public interface Maker {
        /**
         * Makes one.
         *
         * @param account of whoever has opened the connection
         * @param refused where it is written down what was refused
         * @param trace where the handshake belongs in its caller's trace
         */
        Session open(Connection connection, EndpointFactory.Loop loop, KeyAccount account, RefusedRequests refused, RequestTrace trace);
    }
}

package dev.tidestream.server.transport.peer;

import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Session;
import dev.tidestream.server.transport.websocket.Connection;

/**
 * A wire over WebSockets for other servers, at a path of its own. They have connections of their own, beside those of clients, send as fast
 * as they can, and must offer the subprotocol.
 *
 * @param auth who may come in
 * @param maxConnections of peers at once
 * @param maxMessageBytes largest message of one
 * @param sessions makes the session of a new connection; on the event loop
 */
public record PeerWire(String path, String subprotocol, Auth auth, int maxConnections, int maxMessageBytes, Maker sessions) {

    /** Makes sessions. */
    public interface Maker {
        /** Makes one. */
        Session open(Connection connection, EndpointFactory.Loop loop);
    }
}

package dev.tidestream.server.transport.endpoint;

import io.vertx.core.Future;

/**
 * A live connection: a WebSocket, whatever it speaks, or an HTTP request that tokens are made for, streamed or whole. Event loop.
 */
public interface Session {
    /** Starts to listen. */
    void run();

    /** Completes when the connection has closed and all that it had started is cancelled. */
    Future<Void> closed();

    /** Streams or requests that run. */
    int underWay();

    /** Takes nothing new and closes the connection when what runs has ended. */
    void drain();

    /** Breaks off what still runs and closes the connection. */
    void breakOff();

    /** Closes the connection, whatever the client has been told. */
    void abort();
}

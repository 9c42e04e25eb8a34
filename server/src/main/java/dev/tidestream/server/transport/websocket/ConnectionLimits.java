package dev.tidestream.server.transport.websocket;

import java.time.Duration;

/**
 * The bounds of one connection.
 *
 * @param maxFrameBytes largest frame that is read at all; more closes with 1009
 * @param writeQueueBytes unsent bytes at which the connection is not writable
 * @param pingInterval silence after which a client is pinged, and again
 * @param deadAfter silence after which a client counts as gone; longer than the ping interval
 * @param closeTimeout how long a client may take to answer a close frame, or to close its side after one
 * @param answerGrace how long, after a violation, what the client asked before may take to be answered
 */
public record ConnectionLimits(
        int maxFrameBytes,
        int writeQueueBytes,
        Duration pingInterval,
        Duration deadAfter,
        Duration closeTimeout,
        Duration answerGrace) {

    /** The same with another bound of a frame. */
    public ConnectionLimits withMaxFrameBytes(int bytes) {
        return new ConnectionLimits(bytes, writeQueueBytes, pingInterval, deadAfter, closeTimeout, answerGrace);
    }
}

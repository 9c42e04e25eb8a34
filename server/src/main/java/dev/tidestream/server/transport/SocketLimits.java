package dev.tidestream.server.transport;

import java.time.Duration;

/**
 * The bounds of WebSockets beside those that a client notices in its messages.
 *
 * @param maxAssemblyBytes what all connections together may hold of messages that have not come to their end
 * @param maxInputBytesPerSecond what all clients together may send, beyond a small allowance of each; then they are read from slowly
 * @param closeTimeout how long a client may take to answer a close frame
 * @param answerGrace how long, after a client's violation of the protocol, what it asked before may take to be answered
 */
public record SocketLimits(long maxAssemblyBytes, long maxInputBytesPerSecond, Duration closeTimeout, Duration answerGrace) {
    private static final long MAX_INPUT_BYTES_PER_S = 8L << 20;
    private static final long MAX_ASSEMBLY_BYTES = 64L << 20;
    private static final int SHARE_OF_HEAP = 8;

    public SocketLimits {
        if (maxAssemblyBytes < 1 || maxInputBytesPerSecond < 1) {
            throw new IllegalArgumentException("must be at least 1: maxAssemblyBytes=" + maxAssemblyBytes
                    + ", maxInputBytesPerSecond=" + maxInputBytesPerSecond);
        }
        if (!closeTimeout.isPositive() || !answerGrace.isPositive()) {
            throw new IllegalArgumentException(
                    "must be above 0: closeTimeout=" + closeTimeout + ", answerGrace=" + answerGrace);
        }
    }

    /** 64 MiB, or an eighth of the heap if that is less, but one message in any case; 8 MiB per second; 5 s for a close frame, 1 s for answers. */
    public static SocketLimits of(int maxMessageBytes) {
        long bytes = Math.min(MAX_ASSEMBLY_BYTES, Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP);
        return new SocketLimits(Math.max(bytes, maxMessageBytes), MAX_INPUT_BYTES_PER_S, Duration.ofSeconds(5), Duration.ofSeconds(1));
    }
}

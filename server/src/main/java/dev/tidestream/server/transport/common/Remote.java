package dev.tidestream.server.transport.common;

import io.vertx.core.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** What the log calls the other side of a connection. */
public final class Remote {
    private static final String UNIX = "unix"; // whose clients have no address of their own

    private Remote() {}

    /** Address and port, or {@code unix}. */
    public static String of(@Nullable SocketAddress address) {
        return address != null && address.isDomainSocket() ? UNIX : String.valueOf(address);
    }
}

package dev.tidestream.server.app;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.util.Locale;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.server.app.ServerException.Reason;
import dev.tidestream.server.transport.TransportConfig;
import dev.tidestream.server.transport.http.HostPolicy;
import dev.tidestream.server.transport.http.UnixSocket;

/**
 * Where a server is to listen.
 *
 * @param port {@link TransportConfig#NO_PORT} for one that listens on the Unix-domain socket alone
 * @param unixSocket null for none
 */
record ListenAddress(String host, int port, @Nullable UnixSocket unixSocket) {

    static ListenAddress of(TransportConfig config) {
        return new ListenAddress(config.host(), config.port(), config.unixSocket());
    }

    private boolean hasPort() {
        return port != TransportConfig.NO_PORT;
    }

    /** Whether only this machine can come here; of a name, whether it is one of the loopback. */
    boolean isLoopback() {
        return !hasPort() || HostPolicy.isLoopback(host);
    }

    /** The same with the port that it got. */
    ListenAddress withPort(int actual) {
        return new ListenAddress(host, hasPort() ? actual : port, unixSocket);
    }

    /**
     * Tries whether a server could listen here now, so that nobody waits for a model to be loaded to learn that it cannot. Whoever takes
     * the address afterwards makes {@link #refusal} the message in the end.
     *
     * @throws ServerException if not, with the reason
     */
    void requireFree() {
        if (unixSocket != null) {
            try {
                unixSocket.makeFree();
            } catch (UnixSocket.UnusableException e) {
                throw refusal(e);
            }
        }
        if (hasPort()) {
            requirePortFree();
        }
    }

    private void requirePortFree() {
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true); // as the server does: connections of one that has ended are no hindrance
            probe.bind(new InetSocketAddress(InetAddress.getByName(host), port), 1);
        } catch (IOException e) {
            throw refusal(e);
        }
    }

    /** What to say if listening has failed. */
    ServerException refusal(@Nullable Throwable cause) {
        String reason = String.valueOf(cause == null ? null : cause.getMessage());
        String lower = reason.toLowerCase(Locale.ROOT);
        if (cause instanceof UnixSocket.UnusableException) {
            return new ServerException(Reason.ADDRESS, reason + " (--unix-socket)", cause);
        }
        if (cause instanceof UnknownHostException) {
            return new ServerException(Reason.ADDRESS, "no such host: " + host);
        }
        if (cause instanceof BindException && lower.contains("in use")) {
            return new ServerException(Reason.ADDRESS, "address in use: " + this);
        }
        if (cause instanceof BindException && lower.contains("cannot assign")) {
            return new ServerException(Reason.ADDRESS, "no address of this machine: " + host);
        }
        if (lower.contains("permission denied")) {
            return new ServerException(Reason.ADDRESS, "permission denied: listen on " + this);
        }
        return cause == null ? new ServerException(Reason.ADDRESS, "cannot listen on " + this)
                : new ServerException(Reason.ADDRESS, "cannot listen on %s: %s".formatted(this, Reasons.of(cause)), cause);
    }

    /** What URLs of it begin with: {@code ws://HOST:PORT}; without a port {@code unix:FILE:}, after which comes the path. */
    String url(boolean tls) {
        return hasPort() ? (tls ? "wss://" : "ws://") + this : Printable.line(this + ":");
    }

    /** An address that leads here from this machine: any address is none. */
    ListenAddress reachable() {
        return switch (host) {
            case "0.0.0.0" -> new ListenAddress("127.0.0.1", port, unixSocket);
            case "::", "[::]" -> new ListenAddress("::1", port, unixSocket);
            default -> this;
        };
    }

    /** As in a URL. */
    @Override
    public String toString() {
        return !hasPort() ? String.valueOf(unixSocket) : (host.contains(":") ? "[" + host + "]:" : host + ":") + port;
    }
}

package dev.tidestream.server.transport.http;

import io.netty.channel.Channel;
import io.netty.handler.ssl.SslHandler;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.impl.ConnectionBase;

/** Ends what a client does not read, which would keep it open. Event loop. */
public final class Abort {
    private static final long CLOSE_NOTIFY_MS = 100;
    private static final long INTERNAL_ERROR = 2; // of HTTP/2

    private Abort() {}

    /** Closes a connection, whatever it has not written yet. */
    @SuppressWarnings("FutureReturnValueIgnored") // it is closed, or was
    static void connection(HttpConnection connection) {
        ((ConnectionBase) connection).channel().pipeline().firstContext().close(); // the last one would wait until all is written
    }

    /** Breaks an answer off, so that the client can tell: of HTTP/2 its stream alone, else its connection. */
    @SuppressWarnings("FutureReturnValueIgnored") // it ends, or has ended
    public static void answer(HttpServerRequest request) {
        if (request.version() == HttpVersion.HTTP_2) {
            request.response().reset(INTERNAL_ERROR);
        } else {
            connection(request.connection());
        }
    }

    /** Who does not read does not keep a connection open for long after its end. */
    static void shortenCloseNotify(Channel channel) {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        if (tls != null) {
            tls.setCloseNotifyFlushTimeoutMillis(CLOSE_NOTIFY_MS);
        }
    }
}

package dev.tidestream.server.cluster;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import io.vertx.core.Vertx;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;

/** A port in front of another: what kills a connection, or lets it hang, without either end doing anything. */
public final class Proxy implements AutoCloseable {
    private final NetServer server;
    private final NetClient client;
    private final Set<NetSocket> sockets = ConcurrentHashMap.newKeySet();
    private volatile boolean hangs;
    private volatile boolean refuses;

    public Proxy(Vertx vertx, int port) {
        client = vertx.createNetClient();
        server = vertx.createNetServer().connectHandler(incoming -> {
            if (refuses) {
                incoming.close();
                return;
            }
            sockets.add(incoming);
            incoming.pause();
            client.connect(port, "127.0.0.1").onComplete(outgoing -> {
                sockets.add(outgoing);
                relay(incoming, outgoing);
                relay(outgoing, incoming);
                incoming.resume();
            }, failed -> incoming.close());
        }).listen(0, "127.0.0.1").await();
    }

    private void relay(NetSocket from, NetSocket to) {
        from.handler(bytes -> {
            if (!hangs) {
                to.write(bytes);
            }
        });
        from.closeHandler(v -> {
            sockets.remove(from);
            if (!hangs) {
                to.close();
            }
        });
    }

    public int port() {
        return server.actualPort();
    }

    /** Nothing goes through any more, and nobody is told. */
    public void hang() {
        hangs = true;
    }

    /** All connections are cut; new ones may be made. */
    public void kick() {
        sockets.forEach(NetSocket::close);
    }

    /** All connections are cut, and no new ones are made. */
    public void cut() {
        refuses = true;
        sockets.forEach(NetSocket::close);
    }

    @Override
    public void close() {
        cut();
        server.close().await();
        client.close().await();
    }
}

package dev.tidestream.server.bench.wire;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.ServerWebSocket;

import dev.tidestream.protocol.Protocol;

/**
 * A WebSocket server of Vert.x with nothing behind it, on one event loop: whoever sends it a message gets the same frames. As tokens
 * do, they go out one for each stream in turn; a stream whose socket takes nothing is passed over.
 */
final class BareServer implements AutoCloseable {
    private final Vertx vertx = Vertx.vertx();
    private final List<String> frames;
    private final List<Sender> senders = new ArrayList<>(); // event loop
    private final HttpServer http;
    private boolean turning; // event loop

    private static final class Sender {
        private final ServerWebSocket socket;
        private int next;

        Sender(ServerWebSocket socket) {
            this.socket = socket;
        }
    }

    /** @param frames of a stream, from the first to the last */
    BareServer(List<String> frames) throws TimeoutException {
        this.frames = List.copyOf(frames);
        http = vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(0)
                        .addWebSocketSubProtocol(Protocol.SUBPROTOCOL))
                .webSocketHandler(this::opened);
        http.listen().await(NullServer.PATIENCE_S, TimeUnit.SECONDS);
    }

    int port() {
        return http.actualPort();
    }

    private void opened(ServerWebSocket socket) {
        Context loop = vertx.getOrCreateContext();
        socket.textMessageHandler(asked -> {
            senders.add(new Sender(socket));
            turn(loop);
        });
    }

    private void turn(Context loop) {
        if (!turning && !senders.isEmpty()) {
            turning = true;
            loop.runOnContext(go -> {
                turning = false;
                senders.removeIf(this::send);
                turn(loop);
            });
        }
    }

    /** @return whether that was the last frame, or the client is gone */
    private boolean send(Sender sender) {
        if (sender.socket.isClosed()) {
            return true;
        }
        if (!sender.socket.writeQueueFull()) {
            sender.socket.writeTextMessage(frames.get(sender.next++));
        }
        return sender.next == frames.size();
    }

    @Override
    public void close() throws TimeoutException {
        vertx.close().await(NullServer.PATIENCE_S, TimeUnit.SECONDS);
    }
}

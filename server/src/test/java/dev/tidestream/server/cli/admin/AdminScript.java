package dev.tidestream.server.cli.admin;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.ServerWebSocket;

import dev.tidestream.protocol.admin.AdminCodec;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.protocol.admin.AdminProtocolException;
import dev.tidestream.protocol.admin.AdminRequest;

/** An admin channel on a free port that says what a test wants it to say; frames have the limits of a plain Vert.x server. */
final class AdminScript implements AutoCloseable {
    static final String TOKEN = "s3cret-Token.of/the_tests";
    static final int PATIENCE_S = 60;

    /** What the server does when a frame comes; on an event loop. */
    interface Scene {
        /** A request, read strictly. */
        void request(ServerWebSocket socket, AdminRequest request);

        /** A binary frame. */
        default void payload(ServerWebSocket socket, Buffer frame) {}
    }

    final BlockingQueue<AdminRequest> requests = new LinkedBlockingQueue<>();
    final List<Buffer> payload = new ArrayList<>(); // event loop
    final BlockingQueue<Throwable> faults = new LinkedBlockingQueue<>();
    private final Vertx vertx = Vertx.vertx();
    private final HttpServer server;
    private final AdminCodec codec = new AdminCodec(AdminProtocol.MAX_REQUEST_CHARS);
    private final Scene scene;
    /** It has seen too many wrong tokens. */
    volatile boolean throttled;

    AdminScript(Scene scene) throws TimeoutException {
        this(AdminProtocol.SUBPROTOCOL, scene);
    }

    AdminScript(String subprotocol, Scene scene) throws TimeoutException {
        this.scene = scene;
        server = vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(0)
                        .addWebSocketSubProtocol(subprotocol))
                .requestHandler(this::handshake);
        server.listen().await(PATIENCE_S, TimeUnit.SECONDS);
    }

    private void handshake(HttpServerRequest request) {
        if (!request.path().equals(AdminProtocol.PATH)) {
            request.response().setStatusCode(404).end("{}");
        } else if (!("Bearer " + TOKEN).equals(request.getHeader("Authorization"))) {
            if (throttled) {
                request.response().setStatusCode(429).putHeader("Retry-After", "7").end("{}");
            } else {
                request.response().setStatusCode(401).end("{}");
            }
        } else {
            request.toWebSocket().onSuccess(this::talk).onFailure(faults::add);
        }
    }

    private void talk(ServerWebSocket socket) {
        socket.textMessageHandler(text -> {
            try {
                AdminRequest request = codec.decodeRequest(text);
                requests.add(request);
                scene.request(socket, request);
            } catch (AdminProtocolException e) {
                faults.add(e);
            }
        });
        socket.binaryMessageHandler(frame -> {
            if (!socket.isClosed()) {
                payload.add(frame);
                scene.payload(socket, frame);
            }
        });
        socket.closeHandler(_ -> socket.resume()); // lets go of the buffers of frames that came while a scene had paused it
    }

    /** An ack with more fields; {@code details} begins with a comma or is empty. */
    static String ack(AdminRequest request, long version, String details) {
        return "{\"type\":\"ack\",\"ref\":\"%s\",\"weights_version\":%d%s}".formatted(request.ref(), version, details);
    }

    static String failed(AdminRequest request, String code, String message) {
        return "{\"type\":\"failed\",\"ref\":\"%s\",\"code\":\"%s\",\"message\":\"%s\"}".formatted(request.ref(), code, message);
    }

    int port() {
        return server.actualPort();
    }

    String url() {
        return "ws://127.0.0.1:" + port();
    }

    @Override
    public void close() throws TimeoutException {
        vertx.close().await(PATIENCE_S, TimeUnit.SECONDS);
        Throwable fault = faults.poll();
        if (fault != null) {
            throw new AssertionError("the client sent something wrong", fault);
        }
    }
}

package dev.tidestream.server.cluster.peer;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The port that nodes ask each other at. A request that does not show the secret is 401 before anything of it is looked at. Handlers run on
 * the one event loop, and may hand work to the workers of {@link #vertx}.
 */
public final class PeerServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(PeerServer.class);
    private static final int WORKERS = 4;
    private static final Duration IDLE = Duration.ofSeconds(60);
    private static final Duration STOPPING = Duration.ofSeconds(5);
    private static final int UNAUTHORIZED = 401;
    private static final int NOT_FOUND = 404;

    private final Vertx vertx;

    private PeerServer(Vertx vertx) {
        this.vertx = vertx;
    }

    /**
     * Listens.
     *
     * @param routes a handler for all paths that begin with its key
     * @throws IOException if the port cannot be had
     */
    public static PeerServer start(String host, int port, ClusterSecret secret, Map<String, Routes> routes) throws IOException {
        Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1).setWorkerPoolSize(WORKERS).setFileSystemOptions(
                new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false)));
        Map<String, Handler<HttpServerRequest>> handlers = routes.entrySet().stream().collect(
                Collectors.toUnmodifiableMap(Map.Entry::getKey, route -> route.getValue().on(vertx)));
        HttpServerOptions options = new HttpServerOptions().setHost(host).setPort(port)
                .setIdleTimeout((int) IDLE.toSeconds()).setIdleTimeoutUnit(TimeUnit.SECONDS).setTcpNoDelay(true);
        try {
            var _ = vertx.createHttpServer(options).requestHandler(request -> answer(request, secret, handlers)).listen()
                    .toCompletionStage().toCompletableFuture().join();
        } catch (CompletionException e) {
            var _ = vertx.close();
            throw new IOException("cannot listen for other nodes: host=%s, port=%d".formatted(host, port), e.getCause());
        }
        return new PeerServer(vertx);
    }

    /** Makes a handler of a server's paths. */
    public interface Routes {
        /** @param vertx whose workers may block */
        Handler<HttpServerRequest> on(Vertx vertx);
    }

    private static void answer(HttpServerRequest request, ClusterSecret secret, Map<String, Handler<HttpServerRequest>> handlers) {
        if (!secret.shownBy(request.getHeader("authorization"))) {
            end(request, UNAUTHORIZED);
            return;
        }
        handlers.entrySet().stream().filter(route -> request.path().startsWith(route.getKey())).findFirst().ifPresentOrElse(
                route -> route.getValue().handle(request), () -> end(request, NOT_FOUND));
    }

    /** Whatever of the body still comes is not waited for. */
    private static void end(HttpServerRequest request, int status) {
        var _ = request.response().setStatusCode(status).putHeader("connection", "close").end()
                .onComplete(_ -> request.connection().close());
    }

    @Override
    public void close() {
        try {
            var _ = vertx.close().toCompletionStage().toCompletableFuture().get(STOPPING.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            log.warn("the port for other nodes could not be closed in time", e);
        }
    }
}

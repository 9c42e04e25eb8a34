package dev.tidestream.server.cluster.blob;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.server.cluster.peer.PeerServer;

/**
 * A store over HTTP:
 *
 * <pre>
 * HEAD /internal/blobs/SHA   200 and content-length; 404 and x-received-bytes if it is not complete
 * GET  /internal/blobs/SHA   200, or 206 with range: bytes=N-
 * PUT  /internal/blobs/SHA   content-range: bytes N-M/SIZE, N being x-received-bytes; 204 once it is complete, right, and on disk
 *                            409 another blob is received, or N is another; 413; 422 another checksum; 507
 * </pre>
 *
 * Runs on an event loop; what blocks is handed to a worker, one chunk at a time, and the socket is not read from meanwhile.
 */
public final class BlobEndpoint implements Handler<HttpServerRequest> {
    /** What paths of blobs begin with. */
    public static final String PATH = "/internal/blobs/";
    static final String RECEIVED = "x-received-bytes";
    static final int CREATED = 204;
    static final int CONFLICT = 409;
    private static final int OK = 200;
    private static final int PARTIAL = 206;
    private static final int BAD_REQUEST = 400;
    private static final int NOT_FOUND = 404;
    private static final int NOT_ALLOWED = 405;
    private static final int TOO_LARGE = 413;
    private static final int DIFFERENT = 422;
    private static final int FAULT = 500;
    private static final int DISK_FULL = 507;
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18})");
    private static final Pattern RANGE = Pattern.compile("bytes=(\\d{1,18})-");
    private static final Logger log = LoggerFactory.getLogger(BlobEndpoint.class);

    private final BlobStore store;
    private final Vertx vertx;

    private BlobEndpoint(BlobStore store, Vertx vertx) {
        this.store = store;
        this.vertx = vertx;
    }

    /** A store's paths. */
    public static PeerServer.Routes of(BlobStore store) {
        return vertx -> new BlobEndpoint(store, vertx);
    }

    @Override
    public void handle(HttpServerRequest request) {
        String sha256 = request.path().substring(PATH.length());
        if (!BlobStore.isName(sha256)) {
            end(request.response(), BAD_REQUEST);
        } else if (request.method().equals(HttpMethod.HEAD)) {
            head(request, sha256);
        } else if (request.method().equals(HttpMethod.GET)) {
            get(request, sha256);
        } else if (request.method().equals(HttpMethod.PUT)) {
            put(request, sha256);
        } else {
            end(request.response(), NOT_ALLOWED);
        }
    }

    private static void end(HttpServerResponse response, int status) {
        if (!response.ended() && !response.closed()) {
            var _ = response.setStatusCode(status).end();
        }
    }

    /** What the store says of a blob. */
    private record Kept(Optional<Path> file, long bytes) {}

    private Kept look(String sha256) throws IOException {
        Optional<Path> file = store.find(sha256);
        return new Kept(file, file.isPresent() ? Files.size(file.get()) : store.receivedBytes(sha256));
    }

    private void head(HttpServerRequest request, String sha256) {
        HttpServerResponse response = request.response();
        var _ = vertx.executeBlocking(() -> look(sha256), false).onComplete(looked -> {
            if (looked.failed()) {
                fail(response, looked.cause());
            } else if (looked.result().file().isPresent()) {
                end(response.putHeader("content-length", Long.toString(looked.result().bytes())), OK);
            } else {
                end(response.putHeader(RECEIVED, Long.toString(looked.result().bytes())), NOT_FOUND);
            }
        });
    }

    private void get(HttpServerRequest request, String sha256) {
        HttpServerResponse response = request.response();
        String header = request.getHeader("range");
        Matcher range = RANGE.matcher(header == null ? "bytes=0-" : header);
        if (!range.matches()) {
            end(response, BAD_REQUEST);
            return;
        }
        long from = Long.parseLong(range.group(1));
        var _ = vertx.executeBlocking(() -> look(sha256), false).onComplete(looked -> {
            if (looked.failed()) {
                fail(response, looked.cause());
            } else if (looked.result().file().isEmpty()) {
                end(response, NOT_FOUND);
            } else {
                send(response, looked.result(), from);
            }
        });
    }

    private static void send(HttpServerResponse response, Kept kept, long from) {
        long to = kept.bytes();
        if (from > to) {
            end(response, BAD_REQUEST);
            return;
        }
        if (from > 0) {
            var _ = response.setStatusCode(PARTIAL).putHeader("content-range", "bytes %d-%d/%d".formatted(from, to - 1, to));
        }
        if (from == to) {
            end(response, from > 0 ? PARTIAL : OK);
            return;
        }
        var _ = response.sendFile(kept.file().orElseThrow().toString(), from, to - from)
                .onFailure(e -> log.debug("a blob was not sent to its end", e));
    }

    private void put(HttpServerRequest request, String sha256) {
        String header = request.getHeader("content-range");
        Matcher range = CONTENT_RANGE.matcher(header == null ? "" : header);
        if (!range.matches()) {
            end(request.response(), BAD_REQUEST);
            return;
        }
        long from = Long.parseLong(range.group(1));
        long bytes = Long.parseLong(range.group(3));
        var _ = request.pause();
        var _ = vertx.executeBlocking(() -> begin(sha256, from, bytes), false).onComplete(begun -> {
            if (begun.failed()) {
                fail(request.response(), begun.cause());
                var _ = request.resume();
            } else if (begun.result() == null) {
                end(request.response(), CREATED);
                var _ = request.resume();
            } else {
                receive(request, begun.result());
            }
        });
    }

    /** @return null if the blob is complete already */
    private BlobStore.@Nullable Receiving begin(String sha256, long from, long bytes) throws IOException {
        if (store.find(sha256).isPresent()) {
            return null;
        }
        BlobStore.Receiving receiving = store.receive(sha256, bytes);
        if (receiving.receivedBytes() != from) {
            long received = receiving.receivedBytes();
            receiving.close();
            throw new BlobException(BlobException.Problem.BUSY,
                    "blob goes on elsewhere: from=%d, received_bytes=%d".formatted(from, received));
        }
        return receiving;
    }

    private void receive(HttpServerRequest request, BlobStore.Receiving receiving) {
        HttpServerResponse response = request.response();
        var _ = request.exceptionHandler(e -> close(receiving));
        var _ = request.handler(chunk -> {
            var _ = request.pause();
            blocking(() -> write(receiving, chunk), response, receiving, request::resume);
        });
        var _ = request.endHandler(_ -> blocking(() -> {
            try (receiving) {
                receiving.finish();
            }
            return true;
        }, response, receiving, () -> end(response, CREATED)));
        var _ = request.resume();
    }

    private static boolean write(BlobStore.Receiving receiving, Buffer chunk) throws IOException {
        receiving.write(ByteBuffer.wrap(chunk.getBytes()));
        return true;
    }

    private void blocking(Callable<Boolean> work, HttpServerResponse response, BlobStore.Receiving receiving, Runnable then) {
        var _ = vertx.executeBlocking(work, true).onComplete(done -> {
            if (done.succeeded()) {
                then.run();
            } else {
                fail(response, done.cause());
                close(receiving);
            }
        });
    }

    /** In the same order as writes, on a worker. */
    private void close(BlobStore.Receiving receiving) {
        var _ = vertx.executeBlocking(() -> {
            receiving.close();
            return true;
        }, true).onFailure(e -> log.warn("a blob that is not complete could not be closed", e));
    }

    private static void fail(HttpServerResponse response, Throwable cause) {
        if (cause instanceof BlobException e) {
            log.info("a blob was refused: {}", e.getMessage());
            end(response, switch (e.problem()) {
                case TOO_LARGE -> TOO_LARGE;
                case DISK_FULL -> DISK_FULL;
                case BUSY -> CONFLICT;
                case DIFFERENT -> DIFFERENT;
                case MISSING -> NOT_FOUND;
            });
        } else {
            log.error("a blob could not be served", cause);
            end(response, FAULT);
        }
    }
}

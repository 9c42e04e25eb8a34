package dev.tidestream.server.cluster.log;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;
import dev.tidestream.server.cluster.peer.PeerServer;

/**
 * A keeper's log for nodes that keep none:
 *
 * <pre>
 * GET    /internal/log?after=N&amp;published=P&amp;wait_ms=W   versions after N and what is published, once that is new or W is over
 * POST   /internal/log                             a command; the state machine's answer
 * GET    /internal/log/state
 * POST   /internal/log/keepers                     id=host:port/http_port; the state afterwards
 * DELETE /internal/log/keepers/ID
 * </pre>
 *
 * What the log cannot do now is 503 with the reason. Runs on an event loop.
 */
final class LogEndpoint implements Handler<HttpServerRequest> {
    /** What paths of the log begin with. */
    static final String PATH = "/internal/log";
    static final String STATE = PATH + "/state";
    static final String KEEPERS = PATH + "/keepers";
    static final int OK = 200;
    static final long MAX_WAIT_MS = 30_000;
    static final int AT_ONCE = 64;
    private static final int MAX_WAITING = 512;
    private static final int MAX_KEEPER_BYTES = 512;
    private static final int BAD_REQUEST = 400;
    private static final int NOT_ALLOWED = 405;
    private static final int TOO_LARGE = 413;
    private static final int UNAVAILABLE = 503;
    private static final Logger log = LoggerFactory.getLogger(LogEndpoint.class);

    private final Node node;
    private final KeeperConfig.Limits limits;
    private final Vertx vertx;

    /** What it asks of a keeper; nothing of it waits. */
    interface Node {
        List<Manifest> after(long version, int atMost);

        LogState state();

        LogWaiters waiters();

        CompletableFuture<byte[]> submit(byte[] command);

        CompletionStage<LogState> addKeeper(Keeper keeper);

        CompletionStage<LogState> removeKeeper(String nodeId);
    }

    private LogEndpoint(Node node, KeeperConfig.Limits limits, Vertx vertx) {
        this.node = node;
        this.limits = limits;
        this.vertx = vertx;
    }

    /** A keeper's paths. */
    static PeerServer.Routes of(Node node, KeeperConfig.Limits limits) {
        return vertx -> new LogEndpoint(node, limits, vertx);
    }

    @Override
    public void handle(HttpServerRequest request) {
        String path = request.path();
        HttpMethod method = request.method();
        if (path.equals(PATH) && method.equals(HttpMethod.GET)) {
            news(request);
        } else if (path.equals(PATH) && method.equals(HttpMethod.POST)) {
            body(request, limits.maxManifestBytes(), bytes -> node.submit(bytes));
        } else if (path.equals(STATE) && method.equals(HttpMethod.GET)) {
            end(request.response(), OK, Buffer.buffer(LogJson.bytes(node.state())));
        } else if (path.equals(KEEPERS) && method.equals(HttpMethod.POST)) {
            body(request, MAX_KEEPER_BYTES,
                    bytes -> node.addKeeper(Keeper.parse(Buffer.buffer(bytes).toString())).thenApply(LogJson::bytes));
        } else if (path.startsWith(KEEPERS + "/") && method.equals(HttpMethod.DELETE)) {
            String id = path.substring(KEEPERS.length() + 1);
            answer(request.response(), node.removeKeeper(id).thenApply(LogJson::bytes));
        } else {
            end(request.response(), NOT_ALLOWED, Buffer.buffer());
        }
    }

    private static void end(HttpServerResponse response, int status, Buffer body) {
        if (!response.ended() && !response.closed()) {
            var _ = response.setStatusCode(status).end(body);
        }
    }

    private void body(HttpServerRequest request, int limit, Function<byte[], CompletionStage<byte[]>> then) {
        Buffer body = Buffer.buffer();
        var _ = request.handler(chunk -> {
            if (body.length() + chunk.length() <= limit) {
                var _ = body.appendBuffer(chunk);
            } else {
                end(request.response(), TOO_LARGE, Buffer.buffer("body is too long: limit=" + limit));
            }
        });
        var _ = request.endHandler(_ -> {
            if (request.response().ended()) {
                return;
            }
            try {
                answer(request.response(), then.apply(body.getBytes()));
            } catch (IllegalArgumentException e) {
                end(request.response(), BAD_REQUEST, Buffer.buffer(Reasons.of(e)));
            }
        });
    }

    private void answer(HttpServerResponse response, CompletionStage<byte[]> work) {
        Context context = vertx.getOrCreateContext();
        var _ = Future.fromCompletionStage(work, context).onComplete(done -> {
            if (done.succeeded()) {
                end(response, OK, Buffer.buffer(done.result()));
            } else {
                Throwable cause = done.cause() instanceof CompletionException e && e.getCause() != null ? e.getCause() : done.cause();
                log.info("the log did not do what a node has asked for: {}", Reasons.of(cause));
                end(response, UNAVAILABLE, Buffer.buffer(Reasons.of(cause)));
            }
        });
    }

    private void news(HttpServerRequest request) {
        long after;
        long published;
        long waitMs;
        try {
            after = Long.parseLong(request.getParam("after", "1"));
            published = Long.parseLong(request.getParam("published", "1"));
            waitMs = Math.clamp(Long.parseLong(request.getParam("wait_ms", "0")), 0, MAX_WAIT_MS);
        } catch (NumberFormatException e) {
            end(request.response(), BAD_REQUEST, Buffer.buffer("after, published and wait_ms are whole numbers"));
            return;
        }
        LogState state = node.state();
        if (waitMs == 0 || state.committedVersion() > after || state.publishedVersion() > published) {
            end(request.response(), OK, Buffer.buffer(LogJson.bytes(new LogJson.News(node.after(after, AT_ONCE), state))));
        } else {
            await(request.response(), after, waitMs);
        }
    }

    private void await(HttpServerResponse response, long after, long waitMs) {
        Context context = vertx.getOrCreateContext();
        Runnable answer = () -> context.runOnContext(_ ->
                end(response, OK, Buffer.buffer(LogJson.bytes(new LogJson.News(node.after(after, AT_ONCE), node.state())))));
        if (!node.waiters().add(answer, MAX_WAITING)) {
            end(response, UNAVAILABLE, Buffer.buffer("too many nodes wait for the log: limit=" + MAX_WAITING));
            return;
        }
        long timer = vertx.setTimer(waitMs, _ -> {
            node.waiters().remove(answer);
            answer.run();
        });
        var _ = response.closeHandler(_ -> node.waiters().remove(answer));
        var _ = response.endHandler(_ -> {
            var _ = vertx.cancelTimer(timer);
            node.waiters().remove(answer);
        });
    }
}

package dev.tidestream.server.transport.endpoint;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;

import io.vertx.core.Future;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.keys.KeyAccount;
import dev.tidestream.server.keys.KeyLimitException;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.tracing.RequestTrace;
import dev.tidestream.server.transport.common.AssemblyBudget;
import dev.tidestream.server.transport.common.RefusedRequests;
import dev.tidestream.server.transport.common.Remote;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/** One request and its answer. Event loop. */
public final class Exchange {
    private final RoutingContext routing;
    private final String path;
    private final AssemblyBudget bodies;
    private final EventLog refusalLog;
    private @Nullable KeyAccount account;

    /** @param path of the endpoint */
    Exchange(RoutingContext routing, String path, AssemblyBudget bodies, EventLog refusalLog) {
        this.routing = routing;
        this.path = path;
        this.bodies = bodies;
        this.refusalLog = refusalLog;
    }

    /** The account of the key that was shown, or of everybody where none need be. Only for endpoints of clients. */
    public KeyAccount account() {
        if (account == null) {
            throw new IllegalStateException("an endpoint that asks for no key: path=" + path);
        }
        return account;
    }

    void account(KeyAccount whose) {
        account = whose;
    }

    /** Where the request belongs in its caller's trace. */
    public RequestTrace trace() {
        return RequestTrace.of(request().headers().getAll(RequestTrace.PARENT), request().headers().getAll(RequestTrace.STATE));
    }

    /** What was asked. */
    public HttpServerRequest request() {
        return routing.request();
    }

    /** Where the answer goes. */
    public HttpServerResponse response() {
        return routing.response();
    }

    /**
     * What stands in the place of the path's {@code *}, decoded; nothing also where the slash before it is missing.
     *
     * @throws IllegalArgumentException if it cannot be
     */
    public String rest() {
        String asked = routing.normalizedPath();
        String rest = asked.substring(Math.min(asked.length(), path.length() - 1));
        return URLDecoder.decode(rest.replace("+", "%2B"), StandardCharsets.UTF_8); // a plus is a plus in a path
    }

    /**
     * The body of the request, to be released; fails with a {@link RequestRefusedException} if it is not taken. To be asked for at once.
     *
     * @param maxBytes largest that is taken
     */
    public Future<Body> body(int maxBytes) {
        return new RequestBody(request(), maxBytes, bodies).future();
    }

    /** Answers with an object; completes when it is out. */
    public Future<Void> answer(int status, JsonAnswer.Body body) {
        return JsonAnswer.send(request(), status, body);
    }

    /** Answers with an error, and writes it down. */
    public Future<Void> refuse(HttpError error) {
        note(error);
        return JsonAnswer.refuse(request(), error);
    }

    /** Answers that the key may not ask for this, or not now. */
    public Future<Void> refuse(KeyLimitException e) {
        return KeyCheck.refuse(this, e);
    }

    /** Writes down that the request was refused, or failed on the way. */
    public void note(HttpError error) {
        new RefusedRequests(refusalLog, null, Remote.of(request().remoteAddress()), trace().traceId()).http(
                error.status(), String.valueOf(error.code()), request().method().name(), String.valueOf(request().path()), error.message());
    }
}

package dev.tidestream.server.transport;

import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Consumer;

import io.vertx.core.Future;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.internal.net.NetSocketInternal;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.Protocol;
import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.endpoint.Session;
import dev.tidestream.server.transport.endpoint.Sessions;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;
import dev.tidestream.server.transport.websocket.Handshake;

/**
 * An endpoint where requests become WebSockets of one subprotocol. Event loop.
 *
 * @param required whether clients must offer it
 * @param create makes the session of a new socket, and knows whose it is
 * @param left told of connections that are plain HTTP no more
 */
record WebSocketEndpoint(
        String path,
        String subprotocol,
        boolean required,
        Sessions sessions,
        BiFunction<Exchange, NetSocketInternal, Session> create,
        Consumer<HttpConnection> left) {
    private static final Logger log = LoggerFactory.getLogger(WebSocketEndpoint.class);
    private static final int BAD_REQUEST = 400;
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    private static final int UPGRADE_REQUIRED = 426;
    private static final int TOO_MANY_REQUESTS = 429;

    /** For everybody who uses a name of the server. */
    Endpoint endpoint() {
        return endpoint(Auth.OWN_HOST);
    }

    /** For those whose token the guard finds right. */
    Endpoint endpoint(TokenGuard guard) {
        return endpoint(auth(guard));
    }

    /** Those whose token the guard finds right. */
    static Auth auth(TokenGuard guard) {
        return Auth.of(exchange -> isLetIn(exchange, guard.judge(exchange.request(), offered(exchange.request()))));
    }

    /** For those whom this lets in. */
    Endpoint endpoint(Auth auth) {
        return new Endpoint(HttpMethod.GET, path, auth, sessions, this::enter);
    }

    private static List<String> offered(HttpServerRequest request) {
        return request.headers().getAll(Handshake.SUBPROTOCOL).stream()
                .flatMap(header -> Arrays.stream(header.split(",", -1)))
                .map(String::strip)
                .toList();
    }

    /** Answers who is not; the guard has written it down. */
    static boolean isLetIn(Exchange exchange, TokenGuard.Verdict verdict) {
        return switch (verdict) {
            case TokenGuard.Verdict.Right r -> true;
            case TokenGuard.Verdict.Refused r -> {
                exchange.response().putHeader("WWW-Authenticate", "Bearer");
                JsonAnswer.refuse(exchange.request(), UNAUTHORIZED, "unauthorized", "a bearer token is required, and it must be the right one");
                yield false;
            }
            case TokenGuard.Verdict.ApiKey k -> {
                JsonAnswer.refuse(exchange.request(), FORBIDDEN, "permission_error",
                        "an API key is no admin token: it makes no administrator");
                yield false;
            }
            case TokenGuard.Verdict.Throttled t -> {
                exchange.response().putHeader("Retry-After", Long.toString(t.retryAfterS()));
                JsonAnswer.refuse(exchange.request(), TOO_MANY_REQUESTS, "too_many_attempts",
                        "too many wrong tokens from this address, so none is looked at for now: retry_after_s=" + t.retryAfterS());
                yield false;
            }
        };
    }

    private void enter(Exchange exchange) {
        HttpServerRequest request = exchange.request();
        List<String> offered = offered(request);
        if (request.version() == HttpVersion.HTTP_2) { // which has no Upgrade, not even as a header of an answer
            refuse(exchange, BAD_REQUEST, "bad_handshake", path + " speaks WebSocket over HTTP/1.1: offer http/1.1 alone (ALPN)");
        } else if (!Handshake.isWanted(request) || request.method().equals(HttpMethod.HEAD)) {
            exchange.response().putHeader(HttpHeaders.UPGRADE, "websocket");
            refuse(exchange, UPGRADE_REQUIRED, "upgrade_required",
                    "GET " + path + " is for WebSockets" + (required ? ", subprotocol " + subprotocol : ""));
        } else if (!Handshake.isSupportedVersion(request)) {
            exchange.response().putHeader(Handshake.VERSION, Handshake.SUPPORTED_VERSION);
            refuse(exchange, UPGRADE_REQUIRED, "unsupported_version", "the WebSocket version must be " + Handshake.SUPPORTED_VERSION);
        } else if (Handshake.fault(request) != null) {
            refuse(exchange, BAD_REQUEST, "bad_handshake", JsonAnswer.shown(String.valueOf(Handshake.fault(request))));
        } else if (required && !offered.contains(subprotocol)) {
            refuse(exchange, BAD_REQUEST, "unsupported_subprotocol", "the WebSocket subprotocol must be " + subprotocol + ": offered="
                    + JsonAnswer.shown(offered.stream().filter(entry -> !isSecret(entry)).toList().toString()));
        } else {
            upgrade(exchange, offered.contains(subprotocol) ? subprotocol : null);
        }
    }

    private static boolean isSecret(String subprotocol) {
        return TokenGuard.isBearer(subprotocol) || subprotocol.startsWith(Protocol.BEARER_SUBPROTOCOL_PREFIX);
    }

    private static void refuse(Exchange exchange, int status, String code, String message) {
        exchange.refuse(HttpError.of(status, code, message));
    }

    private void upgrade(Exchange exchange, @Nullable String chosen) {
        HttpServerRequest request = exchange.request();
        Future<Void> opened = Handshake.accept(request, chosen, socket -> sessions.open(create.apply(exchange, socket)))
                .onSuccess(done -> left.accept(request.connection()))
                .onFailure(e -> log.debug("no WebSocket: remote={}", request.remoteAddress(), e));
        sessions.reserveUntil(opened);
    }
}

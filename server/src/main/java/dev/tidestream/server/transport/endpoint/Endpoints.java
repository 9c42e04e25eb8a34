package dev.tidestream.server.transport.endpoint;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.CorsHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.server.keys.ApiKeys;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.common.AssemblyBudget;
import dev.tidestream.server.transport.common.Refusal;
import dev.tidestream.server.transport.common.Refusals;
import dev.tidestream.server.transport.http.Abort;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;
import dev.tidestream.server.transport.http.RequestRules;

/**
 * Routes requests to endpoints, and answers those that go nowhere; every error is JSON. Event loop.
 *
 * <p>The way of a request: what is malformed is refused; then, but for endpoints that anybody may ask, foreign hosts and origins; then
 * pages of allowed origins get what browsers want of them (CORS, preflight included, which has no key); then the path leads to an
 * endpoint, whose key, auth, method and capacity are asked in this order, and then the limits of the key.
 */
public final class Endpoints implements Handler<HttpServerRequest> {
    private static final Logger log = LoggerFactory.getLogger(Endpoints.class);
    private static final int BAD_REQUEST = 400;
    private static final int NOT_FOUND = 404;
    private static final int METHOD_NOT_ALLOWED = 405;
    private static final int FAULT = 500;
    private static final int PREFLIGHT_AGE_S = 600;
    private static final String RETRY_AFTER_STOP_S = "5"; // a restart takes some seconds

    private final Router router;
    private final RequestRules rules;
    private final Refusals refusals;
    private final AssemblyBudget bodies;
    private final EventLog refusalLog;
    private final KeyCheck keys;

    /**
     * @param rules which requests are refused whatever they ask for
     * @param bodies room for bodies that have not come to their end
     * @param refusals counts
     * @param refusalLog where it is written down what was refused
     * @param keys of clients
     * @param isAdminToken whether something is the token of administrators
     */
    public Endpoints(Vertx vertx, List<Endpoint> endpoints, RequestRules rules, AssemblyBudget bodies, Refusals refusals,
            EventLog refusalLog, ApiKeys keys, Predicate<String> isAdminToken) {
        this.keys = new KeyCheck(keys, isAdminToken);
        this.rules = rules;
        this.refusals = refusals;
        this.bodies = bodies;
        this.refusalLog = refusalLog;
        this.router = Router.router(vertx);
        Map<String, List<Endpoint>> paths = new LinkedHashMap<>();
        endpoints.forEach(endpoint -> paths.computeIfAbsent(endpoint.path(), path -> new ArrayList<>()).add(endpoint));
        paths.forEach((path, all) -> {
            if (all.getFirst().auth().anyHost()) {
                route(path, all);
            }
        });
        router.route().handler(this::refuseForeign);
        router.route().handler(cors(endpoints));
        paths.forEach((path, all) -> {
            if (!all.getFirst().auth().anyHost()) {
                route(path, all);
            }
        });
        router.route().handler(this::notFound);
        router.errorHandler(BAD_REQUEST, routing -> exchange(routing, "").refuse(
                HttpError.of(BAD_REQUEST, "bad_request", "no valid path: " + JsonAnswer.shown(String.valueOf(routing.request().path())))));
        router.errorHandler(NOT_FOUND, this::notFound); // a path that does not begin with a slash
        router.errorHandler(FAULT, this::fault);
    }

    /** Only origins that the rules have let through come here. */
    private static CorsHandler cors(List<Endpoint> endpoints) {
        Set<HttpMethod> methods = new LinkedHashSet<>();
        endpoints.forEach(endpoint -> methods.add(endpoint.method()));
        return CorsHandler.create()
                .addOriginWithRegex(".+") // not ".*", which is taken for any, and answered with a star
                .allowedMethods(methods)
                .exposedHeaders(Set.copyOf(KeyCheck.HEADERS))
                .exposedHeader("x-request-id")
                .maxAgeSeconds(PREFLIGHT_AGE_S);
    }

    @Override
    public void handle(HttpServerRequest request) {
        if (!rules.refuseMalformed(request)) {
            router.handle(request);
        }
    }

    private void refuseForeign(RoutingContext routing) {
        if (!rules.refuseForeign(routing.request())) {
            routing.next();
        }
    }

    private void route(String path, List<Endpoint> endpoints) {
        String allowed = String.join(", ", endpoints.stream().map(Endpoint::method)
                .flatMap(method -> method.equals(HttpMethod.GET) ? List.of("GET", "HEAD").stream() : List.of(method.name()).stream())
                .distinct().toList());
        router.route(path).handler(routing -> {
            Exchange exchange = exchange(routing, path);
            Endpoint endpoint = endpoints.stream().filter(e -> e.takes(routing.request().method())).findFirst().orElse(null);
            Auth auth = (endpoint == null ? endpoints.getFirst() : endpoint).auth();
            if ((auth.needsKey() && !keys.admits(exchange)) || !auth.admits().test(exchange)) {
                return; // it has been answered
            }
            if (endpoint == null) {
                routing.response().putHeader(HttpHeaders.ALLOW, allowed);
                exchange.refuse(HttpError.of(METHOD_NOT_ALLOWED, "method_not_allowed", "allowed here: %s; method=%s"
                        .formatted(allowed, JsonAnswer.shown(routing.request().method().name()))));
            } else if (!endpoint.capacity().hasRoom()) {
                refuse(exchange, endpoint.capacity().refusal());
            } else if (!auth.counted() || keys.counts(exchange)) {
                endpoint.handler().accept(exchange);
            }
        });
    }

    private void refuse(Exchange exchange, HttpError refusal) {
        if (ErrorCode.SHUTTING_DOWN.wireName().equals(refusal.code())) {
            exchange.response().putHeader(HttpHeaders.RETRY_AFTER, RETRY_AFTER_STOP_S);
        } else {
            refusals.count(Refusal.CONNECTIONS_FULL);
        }
        exchange.refuse(refusal);
    }

    private void notFound(RoutingContext routing) {
        exchange(routing, "").refuse(HttpError.of(
                NOT_FOUND, "not_found", "no such path: " + JsonAnswer.shown(String.valueOf(routing.request().path()))));
    }

    private void fault(RoutingContext routing) {
        log.error("request failed: method={}, path={}", routing.request().method(), routing.normalizedPath(), routing.failure());
        if (routing.response().headWritten()) {
            Abort.answer(routing.request());
        } else {
            exchange(routing, "").refuse(HttpError.of(FAULT, "internal", ServerTexts.FAULT));
        }
    }

    private Exchange exchange(RoutingContext routing, String path) {
        return new Exchange(routing, path, bodies, refusalLog);
    }
}

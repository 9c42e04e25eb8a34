package dev.tidestream.server.transport.http;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.transport.common.Refusal;
import dev.tidestream.server.transport.common.Refusals;

/** Refuses what is no request (RFC 9112), and requests that come from where they should not. Event loop. */
public final class RequestRules {
    private static final int BAD_REQUEST = 400;
    private static final int FORBIDDEN = 403;
    private static final int URI_TOO_LONG = 414;
    private static final int HEADERS_TOO_LARGE = 431;

    private static final Pattern ABSOLUTE = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)");

    private HostPolicy policy;
    private final Refusals refusals;

    public RequestRules(HostPolicy policy, Refusals refusals) {
        this.policy = policy;
        this.refusals = refusals;
    }

    /** Judges by another policy from now on. */
    public void policy(HostPolicy newer) {
        policy = newer;
    }

    /** Answers something that the decoder made no request of; Vert.x closes the connection behind the answer. */
    public void refuseUndecoded(HttpServerRequest request) {
        Throwable cause = request.decoderResult().cause();
        switch (cause) {
            case TooLongHttpLineException e -> close(request, URI_TOO_LONG, "uri_too_long", "the request line is too long");
            case TooLongHttpHeaderException e -> close(request, HEADERS_TOO_LARGE, "headers_too_large",
                    "the headers are too large");
            case null, default -> badRequest(request, cause == null ? "no request" : String.valueOf(cause.getMessage()));
        }
    }

    /** Refuses a request that is malformed or ambiguous, and closes the connection; false if it is neither. */
    public boolean refuseMalformed(HttpServerRequest request) {
        String fault = fault(request);
        if (fault != null) {
            badRequest(request, fault);
        }
        return fault != null;
    }

    private static @Nullable String fault(HttpServerRequest request) {
        List<String> hosts = request.headers().getAll(HttpHeaders.HOST);
        if (request.uri() == null || (isHttp2(request) && request.authority() == null)) { // of HTTP/2: CONNECT, or no :authority
            return request.uri() == null ? "no path" : "no Host";
        }
        if (hosts.size() > 1) {
            return "more than one Host: " + hosts;
        }
        if (hosts.isEmpty() ? request.version() == HttpVersion.HTTP_1_1 : HostPolicy.host(hosts.getFirst()) == null) {
            return hosts.isEmpty() ? "no Host" : "not a host: Host=" + hosts.getFirst();
        }
        List<String> encodings = request.headers().getAll(HttpHeaders.TRANSFER_ENCODING);
        boolean chunked = encodings.size() == 1 && encodings.getFirst().equalsIgnoreCase("chunked");
        if (!encodings.isEmpty() && !(chunked && request.version() == HttpVersion.HTTP_1_1)) {
            return "the only Transfer-Encoding is chunked, in HTTP/1.1: " + encodings;
        }
        return null;
    }

    /**
     * Refuses a request that was sent to a name that this server does not go by, or that a page of another origin sent; false
     * if it is neither.
     */
    public boolean refuseForeign(HttpServerRequest request) {
        String host = null;
        for (String authority : authorities(request)) {
            host = HostPolicy.host(authority);
            if (host == null || !policy.isOurs(host)) {
                refusals.count(Refusal.FOREIGN_HOST);
                JsonAnswer.refuse(request, FORBIDDEN, "foreign_host",
                        "this server does not go by the host " + JsonAnswer.shown(authority) + " (--allow-host allows it)");
                return true;
            }
        }
        List<String> origins = request.headers().getAll(HttpHeaders.ORIGIN);
        if (origins.isEmpty() || (origins.size() == 1 && policy.isAllowed(origins.getFirst(), host))) {
            return false;
        }
        refusals.count(Refusal.FOREIGN_ORIGIN);
        JsonAnswer.refuse(request, FORBIDDEN, "foreign_origin",
                "pages of this origin may not use this server: " + JsonAnswer.shown(String.join(", ", origins))
                        + " (--allow-origin allows them)");
        return true;
    }

    /** What the request was sent to: its {@code Host}, and the authority of a target in absolute form, which counts for more. */
    private static List<String> authorities(HttpServerRequest request) {
        List<String> authorities = new ArrayList<>(request.headers().getAll(HttpHeaders.HOST));
        if (isHttp2(request) && request.authority() != null) {
            authorities.add(request.authority().toString());
        }
        Matcher absolute = ABSOLUTE.matcher(request.uri());
        if (absolute.lookingAt()) {
            authorities.add(absolute.group(1));
        }
        return authorities;
    }

    private static boolean isHttp2(HttpServerRequest request) {
        return request.version() == HttpVersion.HTTP_2;
    }

    private void badRequest(HttpServerRequest request, String message) {
        close(request, BAD_REQUEST, "bad_request", message);
    }

    private void close(HttpServerRequest request, int status, String code, String message) {
        refusals.count(Refusal.BAD_REQUEST);
        if (isHttp2(request)) { // where requests are told apart; others of the connection go on
            JsonAnswer.refuse(request, status, code, JsonAnswer.shown(message));
            return;
        }
        request.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
        JsonAnswer.refuse(request, status, code, JsonAnswer.shown(message));
        request.connection().close();
    }
}

package dev.tidestream.server.transport.endpoint;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;

import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;

import dev.tidestream.protocol.Protocol;
import dev.tidestream.server.keys.ApiKeys;
import dev.tidestream.server.keys.KeyAccount;
import dev.tidestream.server.keys.KeyLimitException;
import dev.tidestream.server.keys.KeyRefusal;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/**
 * The API key of a request, be it plain HTTP or the upgrade to a WebSocket of whatever wire: {@code Authorization: Bearer KEY}, or, where a
 * browser opens a WebSocket and can set no header, the subprotocol {@value Protocol#BEARER_SUBPROTOCOL_PREFIX} with the key in base64url.
 * The header counts if there is one; two keys are none. Event loop.
 */
final class KeyCheck {
    /** What answers tell of limits. */
    static final List<String> HEADERS = List.of("retry-after", "retry-after-ms",
            "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests",
            "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens");

    private static final String SCHEME = "Bearer ";
    private static final String SUBPROTOCOL = "Sec-WebSocket-Protocol";
    private static final int UNAUTHORIZED = 401;
    private static final int TOO_MANY_REQUESTS = 429;

    private final ApiKeys keys;
    private final Predicate<String> isAdminToken;

    /** @param isAdminToken whether something is the token of administrators, which is no key even if the file of keys has it */
    KeyCheck(ApiKeys keys, Predicate<String> isAdminToken) {
        this.keys = keys;
        this.isAdminToken = isAdminToken;
    }

    /** Whether the request has a key, or needs none; answers the one that has not. */
    boolean admits(Exchange exchange) {
        if (!keys.required()) {
            exchange.account(keys.anybody());
            return true;
        }
        List<String> shown = shown(exchange.request());
        Optional<KeyAccount> account = shown.size() == 1 && !isAdminToken.test(shown.getFirst())
                ? keys.find(shown.getFirst()) : Optional.empty();
        account.ifPresent(exchange::account);
        if (account.isEmpty()) {
            keys.refused(shown.isEmpty() ? KeyRefusal.MISSING : KeyRefusal.WRONG);
            unauthorized(exchange, shown.isEmpty()
                    ? "You didn't provide an API key: this server wants one, in the header Authorization: Bearer KEY."
                    : "Incorrect API key provided: this server does not know it.");
        }
        return account.isPresent();
    }

    /** Whether the key may ask now; answers the request if it may not. */
    boolean counts(Exchange exchange) {
        KeyAccount account = exchange.account();
        try {
            account.request();
        } catch (KeyLimitException e) {
            refuse(exchange, e);
            return false;
        }
        tell(exchange.response(), account);
        return true;
    }

    private static void tell(HttpServerResponse response, KeyAccount account) {
        account.requestsLeft().ifPresent(standing -> tell(response, "requests", standing));
        account.tokensLeft().ifPresent(standing -> tell(response, "tokens", standing));
    }

    private static void tell(HttpServerResponse response, String of, KeyAccount.Standing standing) {
        response.putHeader("x-ratelimit-limit-" + of, Long.toString(standing.limit()))
                .putHeader("x-ratelimit-remaining-" + of, Long.toString(standing.left()))
                .putHeader("x-ratelimit-reset-" + of, duration(standing.fullInMs()));
    }

    /** As OpenAI writes it: {@code 120ms}, {@code 8.64s}, {@code 6m0s}. */
    static String duration(long ms) {
        if (ms < TimeUnit.SECONDS.toMillis(1)) {
            return ms + "ms";
        }
        long minutes = TimeUnit.MILLISECONDS.toMinutes(ms);
        double seconds = (ms - TimeUnit.MINUTES.toMillis(minutes)) / 1000.0;
        String text = String.format(Locale.ROOT, seconds == Math.rint(seconds) ? "%.0fs" : "%.3fs", seconds);
        return minutes == 0 ? text : minutes + "m" + text;
    }

    /** Answers a request of a key that may not ask. */
    static Future<Void> refuse(Exchange exchange, KeyLimitException e) {
        String message = String.valueOf(e.getMessage());
        if (e.refusal() == KeyRefusal.REVOKED) {
            return unauthorized(exchange, message);
        }
        OptionalLong retryMs = e.retryAfterMs();
        if (retryMs.isPresent()) {
            exchange.response()
                    .putHeader("retry-after", Long.toString(Math.ceilDiv(retryMs.getAsLong(), TimeUnit.SECONDS.toMillis(1))))
                    .putHeader("retry-after-ms", Long.toString(retryMs.getAsLong()));
        } else {
            exchange.response().putHeader(JsonAnswer.SHOULD_RETRY, "false");
        }
        tell(exchange.response(), exchange.account());
        return exchange.refuse(HttpError.of(TOO_MANY_REQUESTS, "rate_limit_exceeded", message));
    }

    private static Future<Void> unauthorized(Exchange exchange, String message) {
        exchange.response().putHeader("WWW-Authenticate", "Bearer");
        return exchange.refuse(HttpError.of(UNAUTHORIZED, "invalid_api_key", message));
    }

    private static List<String> shown(HttpServerRequest request) {
        List<String> headers = request.headers().getAll(HttpHeaders.AUTHORIZATION);
        if (!headers.isEmpty()) {
            return headers.stream().map(KeyCheck::ofHeader).toList();
        }
        return request.headers().getAll(SUBPROTOCOL).stream()
                .flatMap(header -> Arrays.stream(header.split(",", -1)))
                .map(String::strip)
                .filter(entry -> entry.startsWith(Protocol.BEARER_SUBPROTOCOL_PREFIX))
                .flatMap(KeyCheck::ofSubprotocol)
                .toList();
    }

    /** Of another scheme, what is no key. */
    private static String ofHeader(String header) {
        return header.regionMatches(true, 0, SCHEME, 0, SCHEME.length()) ? header.substring(SCHEME.length()).strip() : "";
    }

    private static Stream<String> ofSubprotocol(String entry) {
        try {
            byte[] key = Base64.getUrlDecoder().decode(entry.substring(Protocol.BEARER_SUBPROTOCOL_PREFIX.length()));
            return Stream.of(new String(key, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException _) {
            return Stream.of(""); // no base64url, so no key
        }
    }
}

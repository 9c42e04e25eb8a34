package dev.tidestream.server.transport;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.server.logging.Caller;
import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.logging.TokenBucket;
import dev.tidestream.server.transport.common.Remote;

/**
 * Lets in who shows the right token, and slows down who guesses. Each remote address has a bucket of wrong tokens ({@link TokenLimit});
 * once it is empty, tokens of this address are not looked at, right or wrong, until it has refilled, so that guessing goes no faster
 * than the limit says. An IPv6 address counts as its network of 64 bits, since whoever has one address of it has them all.
 *
 * <p>The exception: an address from which the right token has come is never shut out. Behind a proxy or a NAT, or on a machine
 * that several people share, all come from one address, and a stranger who needs a wrong token a second to keep administrators out
 * would be the greater harm. There, wrong tokens beyond the limit are refused in the same words, but a right one is let in: against
 * guesses from such a place stands the length of the token alone.
 *
 * <p>Memory is bounded: so many addresses with buckets, {@value #MAX_KNOWN} that are known. Somebody with more addresses than
 * that has as many bursts of guesses. Event loop.
 */
final class TokenGuard {
    private static final String BEARER_SCHEME = "Bearer ";
    private static final int MAX_KNOWN = 256;
    private static final int IPV6_BYTES = 16;
    private static final int NETWORK_BYTES = 8;

    /** Whether to let somebody in. */
    sealed interface Verdict {
        record Right() implements Verdict {}

        record Refused(TokenRefusal why) implements Verdict {}

        /** The key of a client was shown: whoever has it is known, and may not come in here. */
        record ApiKey() implements Verdict {}

        /** @param retryAfterS whole seconds until a token of this address is looked at again, at least 1 */
        record Throttled(long retryAfterS) implements Verdict {}
    }

    private final AdminAccess access;
    private final Predicate<String> isApiKey;
    private final LongSupplier nanoTime;
    private final Map<String, TokenBucket> wrong; // by address, the one used longest ago first
    private final Map<String, Boolean> known = bounded(MAX_KNOWN); // addresses that have shown the right token

    /** @param isApiKey whether something is the key of a client */
    TokenGuard(AdminAccess access, Predicate<String> isApiKey, LongSupplier nanoTime) {
        this.access = access;
        this.isApiKey = isApiKey;
        this.nanoTime = nanoTime;
        this.wrong = bounded(access.limit().maxAddresses());
    }

    private static <V> Map<String, V> bounded(int maxEntries) {
        return new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
                return size() > maxEntries;
            }
        };
    }

    /**
     * Judges a request, and writes a refusal down. The header counts if there is one, otherwise the subprotocol; two of either are none.
     *
     * @param offered subprotocols
     */
    Verdict judge(HttpServerRequest request, List<String> offered) {
        String address = address(request.remoteAddress());
        long nowNs = nanoTime.getAsLong();
        TokenBucket bucket = wrong.get(address);
        boolean isKnown = known.get(address) != null;
        if (bucket != null && !isKnown && bucket.untilNextNs(nowNs) > 0) {
            return throttled(request, bucket, nowNs);
        }
        List<String> shown = shown(request, offered);
        if (shown.size() == 1 && isApiKey.test(shown.getFirst())) { // even if a file that was changed later makes both the same
            note(request, TokenRefusal.API_KEY, null);
            return new Verdict.ApiKey();
        }
        if (shown.size() == 1 && access.token().matches(shown.getFirst())) {
            known.put(address, true);
            return new Verdict.Right();
        }
        if (shown.isEmpty()) {
            return refused(request, TokenRefusal.MISSING, null);
        }
        if (bucket == null) {
            bucket = new TokenBucket(access.limit().perSecond(), access.limit().burst(), nowNs);
            wrong.put(address, bucket);
        }
        return bucket.take(nowNs)
                ? refused(request, TokenRefusal.WRONG, AdminToken.fingerprint(shown.getFirst()))
                : throttled(request, bucket, nowNs);
    }

    private Verdict throttled(HttpServerRequest request, TokenBucket bucket, long nowNs) {
        note(request, TokenRefusal.THROTTLED, null);
        return new Verdict.Throttled(Math.ceilDiv(Math.max(1, bucket.untilNextNs(nowNs)), TimeUnit.SECONDS.toNanos(1)));
    }

    private Verdict refused(HttpServerRequest request, TokenRefusal why, @Nullable String fingerprint) {
        note(request, why, fingerprint);
        return new Verdict.Refused(why);
    }

    private void note(HttpServerRequest request, TokenRefusal why, @Nullable String fingerprint) {
        access.refusals().accept(why);
        access.audit().refused("token_" + why.wireName(), () -> EventLine.of("token").with("outcome", "refused")
                .with("reason", why.wireName()).with(new Caller(null, Remote.of(request.remoteAddress()), fingerprint)));
    }

    private static List<String> shown(HttpServerRequest request, List<String> offered) {
        List<String> headers = request.headers().getAll(HttpHeaders.AUTHORIZATION);
        return headers.isEmpty()
                ? offered.stream()
                        .filter(TokenGuard::isBearer)
                        .map(entry -> entry.substring(AdminProtocol.BEARER_SUBPROTOCOL_PREFIX.length()))
                        .toList()
                : headers.stream()
                        .filter(header -> header.regionMatches(true, 0, BEARER_SCHEME, 0, BEARER_SCHEME.length()))
                        .map(header -> header.substring(BEARER_SCHEME.length()).strip())
                        .toList();
    }

    /** Whether a subprotocol is a token. */
    static boolean isBearer(String subprotocol) {
        return subprotocol.startsWith(AdminProtocol.BEARER_SUBPROTOCOL_PREFIX);
    }

    /** What counts as one address. */
    static String address(SocketAddress remote) {
        String host = remote.hostAddress();
        if (host == null) {
            return "local"; // a socket of this machine that has no address
        }
        try {
            byte[] bytes = InetAddress.ofLiteral(host).getAddress();
            return bytes.length == IPV6_BYTES ? HexFormat.of().formatHex(Arrays.copyOf(bytes, NETWORK_BYTES)) : host;
        } catch (IllegalArgumentException e) {
            return host; // of a network interface that is gone
        }
    }
}

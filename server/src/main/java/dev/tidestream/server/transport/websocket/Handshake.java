package dev.tidestream.server.transport.websocket;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.function.Consumer;

import io.netty.channel.ChannelPipeline;
import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.internal.net.NetSocketInternal;
import io.vertx.core.net.impl.ConnectionBase;
import org.jspecify.annotations.Nullable;

/** The opening handshake of RFC 6455, section 4.2. Event loop. */
public final class Handshake {
    /** The header with the offered, and in the answer the chosen, subprotocol. */
    public static final String SUBPROTOCOL = "Sec-WebSocket-Protocol";
    /** The header with the version of WebSocket. */
    public static final String VERSION = "Sec-WebSocket-Version";
    /** The only version there is. */
    public static final String SUPPORTED_VERSION = "13";

    private static final String KEY = "Sec-WebSocket-Key";
    private static final String ACCEPT = "Sec-WebSocket-Accept";
    private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final int KEY_BYTES = 16;
    private static final String EARLY_BYTES = "early-bytes";
    private static final String LAST_HANDLER = "handler"; // as Vert.x calls it

    private Handshake() {}

    /** Whether the request asks for a WebSocket, however badly. */
    public static boolean isWanted(HttpServerRequest request) {
        return hasToken(request, HttpHeaders.UPGRADE.toString(), "websocket");
    }

    /** Whether it asks for the version that there is. */
    public static boolean isSupportedVersion(HttpServerRequest request) {
        return request.headers().getAll(VERSION).equals(List.of(SUPPORTED_VERSION));
    }

    /** What is wrong with a request for a WebSocket of this version; null if nothing is. */
    public static @Nullable String fault(HttpServerRequest request) {
        if (request.version() != HttpVersion.HTTP_1_1) {
            return "a WebSocket needs HTTP/1.1";
        }
        if (!hasToken(request, HttpHeaders.CONNECTION.toString(), "upgrade")) {
            return "the header Connection must have the token Upgrade: "
                    + request.headers().getAll(HttpHeaders.CONNECTION);
        }
        List<String> keys = request.headers().getAll(KEY);
        if (keys.size() != 1 || !isKey(keys.getFirst())) {
            return "the header " + KEY + " must be there once, 16 bytes in base64: " + keys;
        }
        return null;
    }

    private static boolean hasToken(HttpServerRequest request, String header, String token) {
        return request.headers().getAll(header).stream()
                .flatMap(value -> Arrays.stream(value.split(",", -1)))
                .anyMatch(value -> value.strip().equalsIgnoreCase(token));
    }

    private static boolean isKey(String key) {
        try {
            return Base64.getDecoder().decode(key).length == KEY_BYTES;
        } catch (IllegalArgumentException e) {
            return false; // not base64, which is all that is asked
        }
    }

    /**
     * Answers with 101; the request must have no {@linkplain #fault}.
     *
     * @param subprotocol the one that was chosen; null for none
     * @param begin gets the socket, and has begun to read when it returns
     */
    public static Future<Void> accept(HttpServerRequest request, @Nullable String subprotocol, Consumer<NetSocketInternal> begin) {
        HttpServerResponse response = request.response();
        response.putHeader(HttpHeaders.UPGRADE, "websocket")
                .putHeader(ACCEPT, accept(request.getHeader(KEY)))
                .headersEndHandler(v -> response.putHeader(HttpHeaders.CONNECTION, "Upgrade")); // Vert.x may have made it "close"
        if (subprotocol != null) {
            response.putHeader(SUBPROTOCOL, subprotocol);
        }
        ChannelPipeline pipeline = ((ConnectionBase) request.connection()).channel().pipeline();
        pipeline.addBefore(LAST_HANDLER, EARLY_BYTES, new EarlyBytes());
        return request.toNetSocket().map(socket -> {
            begin.accept((NetSocketInternal) socket);
            pipeline.remove(EARLY_BYTES);
            return null;
        });
    }

    /** Proves that this is a server of WebSockets: base64 of the SHA-1 of key and a fixed text. */
    static String accept(String key) {
        try {
            MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
            return Base64.getEncoder().encodeToString(sha1.digest((key + GUID).getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-1", e);
        }
    }
}

package dev.tidestream.server.transport;

import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

import io.vertx.core.http.HttpServerRequest;
import org.jspecify.annotations.Nullable;

/**
 * A path where requests become WebSockets.
 *
 * @param guard judges the token that a client must show before it learns anything else; null if everybody may come in
 * @param hasRoom whether one more connection may be opened
 * @param upgrade takes over a request that may come in
 */
record Endpoint(
        String path,
        String subprotocol,
        @Nullable TokenGuard guard,
        BooleanSupplier hasRoom,
        Consumer<HttpServerRequest> upgrade) {}

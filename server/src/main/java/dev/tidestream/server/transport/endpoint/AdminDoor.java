package dev.tidestream.server.transport.endpoint;

import java.util.function.Consumer;
import java.util.function.Function;

import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;

import dev.tidestream.server.logging.Caller;

/**
 * The way in for administrators over HTTP.
 *
 * @param auth lets in who shows the token, and answers others
 * @param caller who has come in, for the log
 * @param takeOver a connection of HTTP/1 is the endpoint's own from now on: no time is set for its request, and it takes no other
 */
public record AdminDoor(Auth auth, Function<HttpServerRequest, Caller> caller, Consumer<HttpConnection> takeOver) {}

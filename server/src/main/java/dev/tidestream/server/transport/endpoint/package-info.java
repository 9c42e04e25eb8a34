/**
 * HTTP as endpoints: what a request is routed to, who may ask, how much of it there may be at once, and what is live.
 *
 * <p>An {@code Endpoint} is a method, a path, who may use it, how many may at once, and a handler; {@code Endpoints} routes requests to
 * them and answers those that go nowhere. {@code Exchange} is one request and its answer. {@code Session} is what every live connection
 * has, be it a WebSocket or a request that tokens are made for; {@code Sessions} counts them. All of it lives on one event loop.
 */
@NullMarked
package dev.tidestream.server.transport.endpoint;

import org.jspecify.annotations.NullMarked;

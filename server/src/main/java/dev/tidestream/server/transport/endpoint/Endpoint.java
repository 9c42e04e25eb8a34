package dev.tidestream.server.transport.endpoint;

import java.util.function.Consumer;

import io.vertx.core.http.HttpMethod;

/**
 * What requests are answered by. HEAD is answered wherever GET is.
 *
 * @param path as it is after normalisation; ending in {@code *}: whatever follows, see {@link Exchange#rest}
 * @param auth who may use it
 * @param capacity whether one more request may be answered now
 * @param handler answers; called on the event loop when the head of a request has come
 */
public record Endpoint(HttpMethod method, String path, Auth auth, Capacity capacity, Consumer<Exchange> handler) {

    /** How many requests may be answered at once. */
    public interface Capacity {
        /** As many as come: the answer is given at once. */
        Capacity UNBOUNDED = () -> true;

        /** Whether one more may be. */
        boolean hasRoom();

        /** Whether there is none because the server stops. */
        default boolean isStopping() {
            return false;
        }
    }

    /** An endpoint that answers at once. */
    public static Endpoint get(String path, Auth auth, Consumer<Exchange> handler) {
        return new Endpoint(HttpMethod.GET, path, auth, Capacity.UNBOUNDED, handler);
    }

    boolean takes(HttpMethod asked) {
        return asked.equals(method) || (asked.equals(HttpMethod.HEAD) && method.equals(HttpMethod.GET));
    }
}

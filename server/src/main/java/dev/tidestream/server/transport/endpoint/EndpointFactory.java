package dev.tidestream.server.transport.endpoint;

import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

import io.vertx.core.Context;

import dev.tidestream.server.transport.common.EventLoopClock;
import dev.tidestream.server.transport.http.AnswerLimits;
import dev.tidestream.server.transport.stream.StreamLimits;

/** Makes endpoints for one event loop. */
public interface EndpointFactory {
    /** The endpoints, when the server starts. Event loop. */
    List<Endpoint> endpoints(Loop loop);

    /** What makes the endpoints of all of these. */
    static EndpointFactory all(List<EndpointFactory> factories) {
        return loop -> factories.stream().flatMap(factory -> factory.endpoints(loop).stream()).toList();
    }

    /**
     * The event loop that they live on.
     *
     * @param sessions live connections that tokens are made for, on whatever wire
     * @param limits those of now; they may change
     * @param answers bounds of what is sent
     * @param memory for answers that are put together
     * @param workers for what must not be done on the event loop
     * @param stopping whether the server takes nothing new
     * @param admin the way in for administrators, if there is one
     */
    record Loop(
            Context context, EventLoopClock clock, Sessions sessions, Supplier<Limits> limits, AnswerLimits answers,
            AnswerMemory memory, Workers workers, BooleanSupplier stopping, Optional<AdminDoor> admin) {

        /** What the streams of a live connection may hold. */
        public StreamLimits streams() {
            return limits.get().streams();
        }

        /** Largest body of a request. */
        public int maxBodyBytes() {
            return limits.get().maxBodyBytes();
        }
    }

    /**
     * Limits that a running server may be given anew.
     *
     * @param streams what the streams of a live connection may hold
     * @param maxBodyBytes largest body of a request
     */
    record Limits(StreamLimits streams, int maxBodyBytes) {}
}

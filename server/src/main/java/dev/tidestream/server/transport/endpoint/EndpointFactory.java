package dev.tidestream.server.transport.endpoint;

import java.util.List;
import java.util.function.BooleanSupplier;

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
     * @param streams what the streams of one of them may hold
     * @param maxBodyBytes largest body of a request
     * @param answers bounds of what is sent
     * @param memory for answers that are put together
     * @param workers for what must not be done on the event loop
     * @param stopping whether the server takes nothing new
     */
    record Loop(
            Context context, EventLoopClock clock, Sessions sessions, StreamLimits streams, int maxBodyBytes, AnswerLimits answers,
            AnswerMemory memory, Workers workers, BooleanSupplier stopping) {}
}

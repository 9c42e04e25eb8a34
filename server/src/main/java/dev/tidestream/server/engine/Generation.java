package dev.tidestream.server.engine;

import reactor.core.publisher.Flux;

/** One stream: what comes of a request, and the way to stop it. Any thread. */
public interface Generation {

    /**
     * The events; nothing is queued until they are subscribed to, which may be done once.
     *
     * <p>Demand is honoured down to the scheduler: a stream without demand is not part of any batch. Cancelling the
     * subscription takes the sequence out before the next step, silently. A refusal or a fault is an
     * {@link EngineException} as {@code onError}; a refusal comes before any event, perhaps while the subscriber subscribes.
     *
     * <p>A stream without demand gives its slot and KV memory to others that wait for them, and goes on as if nothing had been
     * when there is demand again; only {@code CREDIT_TIMEOUT} ends it.
     */
    Flux<TokenEvent> events();

    /**
     * Stops the stream before its next step; it then emits {@link TokenEvent.Stopped} (as soon as there is demand for it) and
     * completes. One that has not been accepted is accepted first. One that has ended is left alone.
     */
    void stop();
}

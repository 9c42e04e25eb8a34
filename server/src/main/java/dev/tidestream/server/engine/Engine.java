package dev.tidestream.server.engine;

import reactor.core.publisher.Flux;

/**
 * Generates tokens. Implementations are safe for use by any thread; signals arrive on the decode thread, which a subscriber
 * must not block.
 */
public interface Engine {

    /**
     * A cold stream: nothing is queued until it is subscribed to, and each subscription is a stream of its own.
     *
     * <p>Demand is honoured down to the scheduler: a stream without demand is not part of any batch. Cancelling the
     * subscription takes the sequence out before the next step, silently. A refusal or a fault is an
     * {@link EngineException} as {@code onError}; a refusal comes before any event, perhaps while the subscriber subscribes.
     *
     * <p>A stream without demand gives its slot and KV memory to others that wait for them, and goes on as if nothing had been when there
     * is demand again; only {@code CREDIT_TIMEOUT} ends it.
     */
    Flux<TokenEvent> generate(GenerateRequest request);

    /**
     * Stops a stream before its next step; it then emits {@link TokenEvent.Stopped} (as soon as there is demand for it) and
     * completes. A stream that is unknown, or has ended already, is left alone.
     *
     * @param stream the number from {@link TokenEvent.Accepted}
     */
    void stop(long stream);

    /**
     * The version that new streams get: the current one at once, then every later one; a slow subscriber misses all but the last.
     * Completes when the engine closes.
     */
    Flux<Long> weightsVersions();
}

package dev.tidestream.server.engine;

import reactor.core.publisher.Flux;

/**
 * Generates tokens. Implementations are safe for use by any thread; signals arrive on the decode thread, which a subscriber
 * must not block.
 */
public interface Engine {

    /** A stream that has not begun; see {@link Generation}. */
    Generation generate(GenerateRequest request);

    /**
     * The version that new streams get: the current one at once, then every later one; a slow subscriber misses all but the last.
     * Completes when the engine closes.
     */
    Flux<Long> weightsVersions();
}

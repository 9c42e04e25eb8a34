package dev.tidestream.server.cluster.gateway;

import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;

/** Where streams are computed: on another node, or on this one. Any thread. */
public interface Worker {
    /** Name of its node. */
    String node();

    /**
     * A stream that has not begun. If the worker is lost, its events end with a {@link WorkerLostException}: nothing is known then of what it
     * may have made beyond the events that came.
     */
    Generation generate(GenerateRequest request);
}

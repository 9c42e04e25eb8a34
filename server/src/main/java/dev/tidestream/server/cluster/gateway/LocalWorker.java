package dev.tidestream.server.cluster.gateway;

import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;

/** The worker of this very process, without a wire in between. */
public record LocalWorker(String node, Engine engine) implements Worker {
    @Override
    public Generation generate(GenerateRequest request) {
        return engine.generate(request);
    }
}

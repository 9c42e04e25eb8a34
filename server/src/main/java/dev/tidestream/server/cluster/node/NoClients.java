package dev.tidestream.server.cluster.node;

import reactor.core.publisher.Flux;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;

/**
 * What clients meet at a node that is no gateway.
 *
 * @param node its name
 */
record NoClients(String node) implements Engine {
    @Override
    public Generation generate(GenerateRequest request) {
        EngineException refusal = new EngineException(ErrorCode.BUSY,
                "this node answers no clients, the gateways of its cluster do: node=" + node);
        return new Generation() {
            @Override
            public Flux<TokenEvent> events() {
                return Flux.error(refusal);
            }

            @Override
            public void stop() {} // it has ended
        };
    }

    @Override
    public Flux<Long> weightsVersions() {
        return Flux.empty();
    }
}

package dev.tidestream.server.cluster.node;

import java.io.IOException;
import java.util.List;

import com.fasterxml.jackson.core.JsonGenerator;

import dev.tidestream.server.cluster.gateway.RelayCounters;
import dev.tidestream.server.cluster.registry.NodeState;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;

/** {@code GET /admin/cluster}: the nodes, for administrators. */
final class ClusterEndpoints implements EndpointFactory {
    static final String PATH = "/admin/cluster";
    private static final int OK = 200;

    private final ClusterNode node;

    ClusterEndpoints(ClusterNode node) {
        this.node = node;
    }

    @Override
    public List<Endpoint> endpoints(Loop loop) {
        return loop.admin().map(door -> List.of(Endpoint.get(PATH, door.auth(), exchange -> {
            var _ = exchange.answer(OK, this::write);
        }))).orElse(List.of());
    }

    /** The fields of the answer. */
    private void write(JsonGenerator g) throws IOException {
        g.writeStringField("node", node.config().nodeId());
        g.writeNumberField("published_version", node.publishedVersion());
        g.writeArrayFieldStart("nodes");
        for (NodeState state : node.states()) {
            state.write(g);
        }
        g.writeEndArray();
        g.writeArrayFieldStart("reachable_workers");
        for (String worker : node.reachableWorkers()) {
            g.writeString(worker);
        }
        g.writeEndArray();
        RelayCounters relayed = node.counters();
        g.writeObjectFieldStart("relayed");
        g.writeNumberField("running", relayed.running());
        g.writeNumberField("tokens", relayed.tokens());
        g.writeNumberField("failovers", relayed.failovers());
        g.writeNumberField("moved", relayed.moved());
        g.writeNumberField("given_up", relayed.givenUp());
        g.writeNumberField("paused_ms", relayed.pausedNanos() / 1e6);
        g.writeEndObject();
    }
}

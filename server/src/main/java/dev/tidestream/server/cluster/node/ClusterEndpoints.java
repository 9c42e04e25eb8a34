package dev.tidestream.server.cluster.node;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.vertx.core.http.HttpMethod;
import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.JsonInput;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.cluster.follow.FollowState;
import dev.tidestream.server.cluster.follow.NodeLog;
import dev.tidestream.server.cluster.gateway.RelayCounters;
import dev.tidestream.server.cluster.log.Keeper;
import dev.tidestream.server.cluster.log.LogRefusedException;
import dev.tidestream.server.cluster.log.LogState;
import dev.tidestream.server.cluster.log.WeightLog;
import dev.tidestream.server.cluster.registry.NodeState;
import dev.tidestream.server.transport.endpoint.Body;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.endpoint.RequestRefusedException;
import dev.tidestream.server.transport.http.HttpError;

/**
 * What administrators see and change of a cluster: {@code GET /admin/cluster} has the nodes, {@code POST /admin/cluster/keepers} with
 * {@code {"add":"ID=HOST:PORT/HTTP"}} or {@code {"remove":"ID"}} the members of the log. Event loop.
 */
final class ClusterEndpoints implements EndpointFactory {
    static final String PATH = "/admin/cluster";
    private static final int MAX_BODY_BYTES = 4096;
    private static final JsonInput JSON = new JsonInput(MAX_BODY_BYTES, 2, 4, 64);
    private static final int OK = 200;
    private static final int BAD_REQUEST = 400;
    private static final int CONFLICT = 409;
    private static final int UNAVAILABLE = 503;

    private final ClusterNode node;

    ClusterEndpoints(ClusterNode node) {
        this.node = node;
    }

    @Override
    public List<Endpoint> endpoints(Loop loop) {
        List<Endpoint> endpoints = new ArrayList<>();
        loop.admin().ifPresent(door -> {
            endpoints.add(Endpoint.get(PATH, door.auth(), exchange -> {
                var _ = exchange.answer(OK, this::write);
            }));
            endpoints.add(new Endpoint(HttpMethod.POST, PATH + "/keepers", door.auth(), Endpoint.Capacity.UNBOUNDED,
                    exchange -> read(exchange, loop)));
        });
        return endpoints;
    }

    private void read(Exchange exchange, Loop loop) {
        exchange.body(MAX_BODY_BYTES).onSuccess(body -> asked(exchange, loop, body)).onFailure(e -> {
            if (e instanceof RequestRefusedException refused) {
                var _ = exchange.refuse(refused.error());
            }
        });
    }

    private void asked(Exchange exchange, Loop loop, Body body) {
        String text = body.bytes().toString();
        body.release();
        NodeLog log = node.log().orElse(null);
        if (log == null) {
            var _ = exchange.refuse(HttpError.of(CONFLICT, "no_keepers", "this cluster has no log of weight versions (--keepers)"));
            return;
        }
        try {
            var _ = change(log.weights(), JSON.tree(text)).whenComplete(
                    (state, failure) -> loop.context().runOnContext(v -> answer(exchange, state, failure)));
        } catch (JsonProcessingException e) {
            var _ = exchange.refuse(HttpError.of(BAD_REQUEST, "malformed_json", "the body is not JSON: " + e.getOriginalMessage()));
        } catch (IllegalArgumentException e) {
            var _ = exchange.refuse(HttpError.of(BAD_REQUEST, "invalid_value", String.valueOf(e.getMessage())));
        }
    }

    private static CompletionStage<LogState> change(WeightLog log, JsonNode body) {
        String add = body.path("add").textValue();
        String remove = body.path("remove").textValue();
        if ((add == null) == (remove == null)) {
            throw new IllegalArgumentException("the body must have one of add and remove");
        }
        return add != null ? log.addKeeper(Keeper.parse(add)) : log.removeKeeper(String.valueOf(remove));
    }

    private static void answer(Exchange exchange, @Nullable LogState state, @Nullable Throwable failure) {
        if (failure == null && state != null) {
            var _ = exchange.answer(OK, g -> log(g, state));
            return;
        }
        Throwable cause = failure instanceof CompletionException e && e.getCause() != null ? e.getCause()
                : Objects.requireNonNull(failure, "neither a state nor a failure");
        AdminErrorCode code = cause instanceof LogRefusedException refused ? refused.code() : AdminErrorCode.INTERNAL;
        int status = code == AdminErrorCode.INVALID_VALUE ? BAD_REQUEST : UNAVAILABLE;
        var _ = exchange.refuse(HttpError.of(status, code.name().toLowerCase(Locale.ROOT), Reasons.of(cause)));
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
        if (node.log().isPresent()) {
            FollowState state = node.log().get().state();
            g.writeObjectFieldStart("log");
            log(g, state.log());
            g.writeBooleanField("diverged", state.diverged());
            g.writeStringField("problem", state.problem().orElse(null));
            g.writeEndObject();
        }
    }

    private static void log(JsonGenerator g, LogState log) throws IOException {
        g.writeStringField("leader", log.leader().orElse(null));
        g.writeNumberField("term", log.term());
        g.writeArrayFieldStart("keepers");
        for (Keeper keeper : log.keepers()) {
            g.writeString(keeper.toString());
        }
        g.writeEndArray();
        g.writeNumberField("last_index", log.lastIndex());
        g.writeNumberField("committed_version", log.committedVersion());
        g.writeNumberField("published_version", log.publishedVersion());
        g.writeStringField("digest", log.digest());
    }
}

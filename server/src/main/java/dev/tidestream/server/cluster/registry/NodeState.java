package dev.tidestream.server.cluster.registry;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.tidestream.protocol.JsonInput;
import dev.tidestream.server.cluster.ModelIdentity;
import dev.tidestream.server.cluster.NodeRole;

/**
 * What a node says of itself.
 *
 * @param node its name
 * @param run a random number, another one each time the node is started
 * @param report rises with each time that it says something
 * @param url where its HTTP port is found
 * @param roles what it does
 * @param identity what decides the bits of its tokens
 * @param load what it does now
 * @param weights versions of the weights that it knows
 * @param adapters names of those that are loaded
 * @param draining whether it takes no more streams
 * @param program version of the program
 */
public record NodeState(
        String node, long run, long report, String url, Set<NodeRole> roles, ModelIdentity identity, Load load, Weights weights,
        Set<String> adapters, boolean draining, String program) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MAX_CHARS = 1 << 20;
    private static final JsonInput INPUT = new JsonInput(MAX_CHARS, 8, 1 << 12, 64);

    /**
     * What a node does now.
     *
     * @param slots streams that it runs at once; 0 for one that computes none
     * @param running streams that have a slot
     * @param waiting streams that wait for one
     * @param kvUse share of its KV memory that is lent, 0 to 1
     * @param relayed streams of its clients that workers compute
     */
    public record Load(int slots, int running, int waiting, double kvUse, long relayed) {}

    /**
     * Versions of the weights.
     *
     * @param applied the newest that it can compute with
     * @param published the one for new streams, as far as it knows
     * @param held all that it can compute with
     * @param pinned those that its streams need
     */
    public record Weights(long applied, long published, Set<Long> held, Set<Long> pinned) {
        public Weights {
            held = Set.copyOf(held);
            pinned = Set.copyOf(pinned);
        }
    }

    public NodeState {
        roles = Set.copyOf(roles);
        adapters = Set.copyOf(adapters);
    }

    /** Whether it does that. */
    public boolean is(NodeRole role) {
        return roles.contains(role);
    }

    /** As it stands in the registry, and in what administrators are told. */
    public void write(JsonGenerator g) throws IOException {
        g.writeStartObject();
        g.writeStringField("node", node);
        g.writeNumberField("run", run);
        g.writeNumberField("report", report);
        g.writeStringField("url", url);
        g.writeArrayFieldStart("roles");
        for (NodeRole role : new TreeSet<>(roles)) {
            g.writeString(role.wireName());
        }
        g.writeEndArray();
        g.writeStringField("model_sha256", identity.file());
        g.writeStringField("prompts_sha256", identity.prompts());
        g.writeStringField("precision", identity.precision());
        g.writeNumberField("slots", load.slots());
        g.writeNumberField("running", load.running());
        g.writeNumberField("waiting", load.waiting());
        g.writeNumberField("kv_use", load.kvUse());
        g.writeNumberField("relayed", load.relayed());
        g.writeNumberField("applied_version", weights.applied());
        g.writeNumberField("published_version", weights.published());
        longs(g, "versions_held", weights.held());
        longs(g, "versions_pinned", weights.pinned());
        g.writeArrayFieldStart("adapters");
        for (String adapter : new TreeSet<>(adapters)) {
            g.writeString(adapter);
        }
        g.writeEndArray();
        g.writeBooleanField("draining", draining);
        g.writeStringField("version", program);
        g.writeEndObject();
    }

    private static void longs(JsonGenerator g, String name, Set<Long> values) throws IOException {
        g.writeArrayFieldStart(name);
        for (long value : new TreeSet<>(values)) {
            g.writeNumber(value);
        }
        g.writeEndArray();
    }

    /** As {@link #parse} reads it. */
    public String toJson() {
        StringWriter out = new StringWriter();
        try (JsonGenerator g = JSON.getFactory().createGenerator(out)) {
            write(g);
        } catch (IOException e) {
            throw new UncheckedIOException("a string does no I/O", e);
        }
        return out.toString();
    }

    /** @throws IllegalArgumentException if it is none, as a node of another version might write it */
    public static NodeState parse(String text) {
        try {
            JsonNode n = INPUT.tree(text);
            Set<NodeRole> roles = EnumSet.noneOf(NodeRole.class);
            n.path("roles").forEach(role -> roles.add(NodeRole.valueOf(role.asText().toUpperCase(Locale.ROOT))));
            Set<String> adapters = new TreeSet<>();
            n.path("adapters").forEach(name -> adapters.add(name.asText()));
            return new NodeState(n.path("node").asText(), n.path("run").longValue(), n.path("report").longValue(), n.path("url").asText(), roles,
                    new ModelIdentity(n.path("model_sha256").asText(), n.path("prompts_sha256").asText(), n.path("precision").asText()),
                    new Load(n.path("slots").intValue(), n.path("running").intValue(), n.path("waiting").intValue(),
                            n.path("kv_use").doubleValue(), n.path("relayed").longValue()),
                    new Weights(n.path("applied_version").longValue(), n.path("published_version").longValue(),
                            longs(n.path("versions_held")), longs(n.path("versions_pinned"))),
                    adapters, n.path("draining").booleanValue(), n.path("version").asText());
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("a node's entry is no JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static Set<Long> longs(JsonNode array) {
        Set<Long> values = new TreeSet<>();
        array.forEach(value -> values.add(value.longValue()));
        return values;
    }
}

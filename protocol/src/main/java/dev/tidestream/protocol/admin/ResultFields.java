package dev.tidestream.protocol.admin;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;

/** The fields of results on the wire: names, and in which order. */
final class ResultFields {
    /** Fields of every ack. */
    static final Set<String> RESERVED = Set.of("type", "ref", "weights_version");

    private static final int MAX_LEVELS = 8;

    private ResultFields() {}

    /** Strings, booleans, numbers, lists and maps of these. */
    static Map<String, Object> of(AdminResult result) {
        return checked(switch (result) {
            case AdminResult.ModeSet set -> mode(set);
            case AdminResult.UpdateRepeated r -> object("repeated", true, "update_version", r.version());
            case AdminResult.UpdateApplied u -> update(u);
            case AdminResult.RolledBack r -> and(object("to_version", r.toVersion()), cost(r.cost()));
            case AdminResult.Optimization o -> optimization(o);
            case AdminResult.Weights w -> weights(w);
            case AdminResult.History h -> object("base_version", h.baseVersion(), "committed_versions", h.committedVersions(),
                    "versions", h.versions().stream().map(ResultFields::version).toList());
            case AdminResult.Stats s -> and(runtime(s.streams()),
                    object("optimization", optimization(s.optimization()), "weights", weights(s.weights())));
            case AdminResult.Streams s -> object("total", s.total(), "streams", s.streams().stream().map(ResultFields::stream).toList());
            case AdminResult.OneAdapter a -> adapter(a.adapter());
            case AdminResult.Adapters a -> object("adapters", a.served().stream().map(ResultFields::adapter).toList(),
                    "adapter_bytes", a.bytes(), "max_adapters", a.maxAdapters(), "max_adapter_bytes", a.maxBytes());
            case UpdateResult u -> u.fields();
            case AdminResult.Received r -> r.fields();
        });
    }

    private static Map<String, Object> mode(AdminResult.ModeSet set) {
        Map<String, Object> names = object("mode", set.mode().wireName(), "previous_mode", set.previous().wireName());
        return switch (set) {
            case AdminResult.ModeUnchanged u ->
                and(names, object("bytes_before", u.bytes(), "changed", false, "bytes_after", u.bytes()));
            case AdminResult.ModeChanged c -> {
                names.put("bytes_before", c.bytesBefore());
                c.verification().ifPresent(verification -> names.put("verification", verification(verification)));
                yield and(and(names, cost(c.cost())), object("changed", true, "bytes_after", c.bytesAfter()));
            }
        };
    }

    private static Map<String, Object> verification(AdminResult.Verification v) {
        return object("rows", v.rows(), "recorded", v.recorded(), "activations", v.activations(),
                "max_delta", v.maxDelta(), "max_delta_over_bound", v.maxDeltaOverBound(),
                "old_us_per_row", v.oldMicrosPerRow(), "new_us_per_row", v.newMicrosPerRow());
    }

    private static Map<String, Object> cost(AdminResult.BuildCost cost) {
        return object("build_ms", cost.millis(), "builder_cpu_share", cost.cpuShare());
    }

    private static Map<String, Object> update(AdminResult.UpdateApplied u) {
        AdminResult.StorageError error = u.error();
        Map<String, Object> fields = object("repeated", false, "update_version", u.version(),
                "changed_rows", u.changedRows(), "changed_blocks", u.changedBlocks(),
                "requantisation_error", object("format", error.format(), "max_abs", error.maxAbs(), "rms", error.rms(),
                        "elements", error.elements()));
        return and(fields, cost(u.cost()));
    }

    private static Map<String, Object> optimization(AdminResult.Optimization o) {
        AdminResult.TiedBytes bytes = o.bytes();
        return object("tied", o.tied(), "mode", o.mode().wireName(),
                "optimize_for_inference", o.mode() == OptimizationMode.PACKED,
                "head_activations", o.headActivations(), "vocabulary_size", o.vocabularySize(), "hidden_size", o.hiddenSize(),
                "embedding_weight_bytes", bytes.embedding(), "transposed_weight_bytes", bytes.transposed(),
                "total_bytes", bytes.total(), "optimization_overhead", bytes.overhead(),
                "modes", o.modes().stream().map(m -> object("mode", m.mode().wireName(), "head_activations", m.headActivations(),
                        "peak_bytes", m.peakBytes(), "fits", m.fits())).toList());
    }

    private static Map<String, Object> weights(AdminResult.Weights w) {
        Map<String, Object> fields = object("durable", w.durable().isPresent());
        w.durable().ifPresent(d -> fields.putAll(object("base_sha256", d.baseSha256(),
                "committed_versions", d.committedVersions(), "checkpoints", d.checkpoints())));
        AdminResult.Memory memory = w.memory();
        return and(fields, object("max_live_versions", w.maxLive(),
                "live_versions", w.live().stream().map(v -> object("weights_version", v.version(), "mode", v.mode().wireName(),
                        "current", v.current(), "leases", v.leases(), "bytes", v.bytes(), "own_bytes", v.ownBytes())).toList(),
                "memory", object("weights_bytes", memory.weights(), "kv_bytes", memory.kv(), "budget_bytes", memory.budget())));
    }

    private static Map<String, Object> version(AdminResult.Version version) {
        Map<String, Object> fields = object("weights_version", version.version(), "base_version", version.baseVersion(),
                "committed_at", version.committedAt().toString());
        return and(fields, switch (version) {
            case AdminResult.UpdatedVersion u -> object("what", "update", "update_id", u.updateId(), "tensor", u.tensor(),
                    "kind", u.kind().wireName(), "shape", u.shape(), "dtype", u.dtype().wireName(),
                    "byte_length", u.byteLength(), "sha256", u.sha256());
            case AdminResult.TransactionVersion t -> object("what", "transaction", "update_id", t.updateId(), "label", t.label(),
                    "tensors", t.tensors(), "byte_length", t.byteLength(), "sha256", t.sha256());
            case AdminResult.RolledBackVersion r -> object("what", "rollback", "to_version", r.toVersion());
        });
    }

    private static Map<String, Object> stream(AdminResult.StreamRow s) {
        Map<String, Object> fields = object("stream", s.stream(), "state", s.state(), "demand", s.demand(), "prompt_tokens",
                s.promptTokens(), "generated", s.generated(), "positions", s.positions(), "weights_version", s.weightsVersion());
        if (!s.adapter().isEmpty()) {
            fields.put("adapter", s.adapter());
        }
        return and(fields, object("age_ms", s.ageMillis()));
    }

    private static Map<String, Object> adapter(AdminResult.Adapter a) {
        return object("name", a.name(), "path", a.path(), "format", a.format(), "sha256", a.sha256(), "bytes", a.bytes(),
                "highest_rank", a.highestRank(), "tied", a.tied(), "streams", a.streams(), "warnings", a.warnings());
    }

    private static Map<String, Object> runtime(AdminResult.StreamFigures runtime) {
        AdminResult.Engine e = runtime.engine();
        Map<String, Object> heads = new LinkedHashMap<>();
        runtime.heads().forEach((mode, times) -> heads.put(mode.wireName(), object("all_calls", latency(times.allCalls()),
                "single_row", latency(times.singleRow()), "rows", times.rows(), "gb_per_s", times.gigabytesPerSecond())));
        return object("engine", object("running", e.running(), "queued", e.queued(), "parked", e.parked(),
                        "kv_used_bytes", e.kvUsedBytes(), "kv_budget_bytes", e.kvBudgetBytes(),
                        "steps", e.steps(), "rows", e.rows(), "tokens_generated", e.tokensGenerated(),
                        "adapters", e.adapters(), "adapter_bytes", e.adapterBytes()),
                "logits", heads);
    }

    private static Map<String, Object> latency(AdminResult.Latency l) {
        return object("calls", l.calls(), "us_p50", l.microsP50(), "us_p99", l.microsP99());
    }

    /** @param namesAndValues a name, its value, and so on */
    private static Map<String, Object> object(Object... namesAndValues) {
        Map<String, Object> object = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            object.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return object;
    }

    private static Map<String, Object> and(Map<String, Object> first, Map<String, Object> then) {
        first.putAll(then);
        return first;
    }

    /**
     * Fields as they are kept.
     *
     * @throws IllegalArgumentException if a frame cannot hold them
     */
    static Map<String, Object> checked(Map<String, Object> fields) {
        for (String name : fields.keySet()) {
            if (RESERVED.contains(name)) {
                throw new IllegalArgumentException("reserved field: " + name);
            }
        }
        return map(fields, MAX_LEVELS);
    }

    private static Map<String, Object> map(Map<?, ?> values, int levels) {
        Map<String, Object> copy = LinkedHashMap.newLinkedHashMap(values.size());
        values.forEach((name, value) -> copy.put((String) name, value(value, levels - 1)));
        return Collections.unmodifiableMap(copy);
    }

    private static Object value(@Nullable Object value, int levels) {
        return switch (value) {
            case String s -> s;
            case Boolean b -> b;
            case Integer i -> (long) i;
            case Long l -> l;
            case Float f when Float.isFinite(f) -> (double) f;
            case Double d when Double.isFinite(d) -> d;
            case List<?> list when levels > 0 -> list.stream().map(v -> value(v, levels - 1)).toList();
            case Map<?, ?> map when levels > 0 -> map(map, levels);
            case null, default -> throw new IllegalArgumentException("not a value of a frame: " + value);
        };
    }
}

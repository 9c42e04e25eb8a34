package dev.tidestream.server.admin.service;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedWeightStats;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.server.admin.build.EpochBuilder;
import dev.tidestream.server.admin.build.MemoryBudget;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.UpdateSpec;
import dev.tidestream.server.admin.store.VersionRecord;
import dev.tidestream.server.epoch.EpochStatus;

/** What {@code status}, {@code history} and {@code stats} say. Any thread; takes no lock that a change holds. */
final class AdminReports {
    private static final int MAX_HISTORY = 500;

    private final ServedModelVersions served;
    private final Precision precision;
    private final MemoryBudget budget;
    private final @Nullable UpdateLog updates;
    private final Supplier<Map<String, Object>> runtime;

    /** @param runtime further fields of {@code stats} that other rooms know */
    AdminReports(
            ServedModelVersions served,
            Precision precision,
            MemoryBudget budget,
            @Nullable UpdateLog updates,
            Supplier<Map<String, Object>> runtime) {
        this.served = served;
        this.precision = precision;
        this.budget = budget;
        this.updates = updates;
        this.runtime = runtime;
    }

    Map<String, Object> optimization() {
        LoadedModel model = served.current();
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("tied", model.blueprint().tied());
        report.put("mode", model.headMode().wireName());
        report.put("optimize_for_inference", model.headMode() == HeadMode.PACKED);
        report.put("head_activations", headActivations(model, model.headMode()));
        report.put("vocabulary_size", model.blueprint().vocabularySize());
        report.put("hidden_size", model.blueprint().hiddenSize());
        report.putAll(tiedWeight(model));
        List<Map<String, Object>> modes = new ArrayList<>();
        for (HeadMode mode : model.blueprint().tied() ? HeadMode.values() : new HeadMode[] {HeadMode.PACKED}) {
            long bytes = EpochBuilder.headBytes(model, mode);
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("mode", mode.wireName());
            fields.put("head_activations", headActivations(model, mode));
            fields.put("peak_bytes", bytes);
            fields.put("fits", bytes <= budget.freeBytes(model.familyBytes()));
            modes.add(fields);
        }
        report.put("modes", modes);
        return report;
    }

    private String headActivations(LoadedModel model, HeadMode mode) {
        return precision.inHead(model.weights().embedding(), mode).wireName();
    }

    private static Map<String, Object> tiedWeight(LoadedModel model) {
        TiedWeightStats stats = model.weights().embedding().stats();
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("embedding_weight_bytes", stats.embeddingWeightBytes());
        report.put("transposed_weight_bytes", stats.transposedWeightBytes());
        report.put("total_bytes", stats.totalBytes());
        report.put("optimization_overhead", stats.optimizationOverhead());
        return report;
    }

    Map<String, Object> weights() {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("durable", updates != null);
        if (updates != null) {
            report.put("base_sha256", updates.baseSha256());
            report.put("committed_versions", updates.history().size());
            report.put("checkpoints", updates.rebuilds().checkpoints().stream().sorted().toList());
        }
        report.put("max_live_versions", served.limit().maxLive());
        report.put("live_versions", epochs());
        report.put("memory", memory());
        return report;
    }

    private List<Map<String, Object>> epochs() {
        List<Map<String, Object>> report = new ArrayList<>();
        for (EpochStatus epoch : served.live()) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("weights_version", epoch.weightsVersion());
            fields.put("mode", epoch.headMode().wireName());
            fields.put("current", epoch.current());
            fields.put("leases", epoch.leases());
            fields.put("bytes", epoch.bytes());
            fields.put("own_bytes", epoch.ownBytes());
            report.add(fields);
        }
        return report;
    }

    private Map<String, Object> memory() {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("weights_bytes", served.current().familyBytes());
        report.put("kv_bytes", budget.kvBytes());
        report.put("budget_bytes", budget.limitBytes());
        return report;
    }

    /** The newest versions, oldest first: as many as a frame may hold. */
    Map<String, Object> history() {
        List<VersionRecord> all = updates == null ? List.of() : updates.history();
        List<VersionRecord> newest = all.subList(Math.max(0, all.size() - MAX_HISTORY), all.size());
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("base_version", UpdateLog.BASE_VERSION);
        report.put("committed_versions", all.size());
        report.put("versions", newest.stream().map(AdminReports::version).toList());
        return report;
    }

    private static Map<String, Object> version(VersionRecord record) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("weights_version", record.weightsVersion());
        fields.put("base_version", record.baseVersion());
        fields.put("committed_at", record.committedAt().toString());
        switch (record) {
            case VersionRecord.Updated(long _, UpdateSpec spec, String _, var _) -> {
                fields.put("what", "update");
                fields.put("update_id", spec.updateId());
                fields.put("tensor", spec.tensor());
                fields.put("kind", spec.kind().wireName());
                fields.put("shape", spec.shape());
                fields.put("dtype", spec.dtype().wireName());
                fields.put("byte_length", spec.byteLength());
                fields.put("sha256", spec.sha256());
            }
            case VersionRecord.RolledBack rolledBack -> {
                fields.put("what", "rollback");
                fields.put("to_version", rolledBack.toVersion());
            }
        }
        return fields;
    }

    Map<String, Object> stats() {
        Map<String, Object> report = new LinkedHashMap<>(runtime.get());
        report.put("optimization", optimization());
        report.put("weights", weights());
        return report;
    }
}

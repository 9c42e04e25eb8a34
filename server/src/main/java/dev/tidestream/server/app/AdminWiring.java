package dev.tidestream.server.app;

import java.util.LinkedHashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.patch.LowRankProduct;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedHeads;
import dev.tidestream.server.admin.build.MemoryBudget;
import dev.tidestream.server.admin.service.AdminService;
import dev.tidestream.server.admin.service.AdminSetup;
import dev.tidestream.server.admin.store.UpdateDirectory;
import dev.tidestream.server.engine.EngineStats;
import dev.tidestream.server.metrics.HeadTimings;

/** The administrators' side of a server: the desk, and what it says of the engine. */
public final class AdminWiring {
    private final ModelRuntime running;
    private final ServerConfig.Updates config;
    private final MetricsWiring metrics;

    /** @param running the model that is administrated */
    public AdminWiring(ModelRuntime running, ServerConfig.Updates config, MetricsWiring metrics) {
        this.metrics = metrics;
        this.running = running;
        this.config = config;
    }

    /**
     * The desk.
     *
     * @param directory where files of updates may come from; null for nowhere
     */
    public AdminService service(
            VersionStore store, MemoryBudget budget, LowRankProduct product, @Nullable UpdateDirectory directory) {
        AdminService service = new AdminSetup(
                running.epochs(),
                running.breaks(),
                running.first(),
                running.loader(),
                running.forward(),
                running.precision(),
                config.live(),
                budget,
                config.builderShare(),
                store.log(),
                directory,
                running.recentStates(),
                TiedHeads::build,
                product,
                config.checkpoints(),
                this::runtime,
                metrics).service();
        metrics.observe(service);
        return service;
    }

    /** What {@code stats} says of the engine and of the head's times. */
    private Map<String, Object> runtime() {
        EngineStats stats = running.stats();
        Map<String, Object> engine = new LinkedHashMap<>();
        engine.put("running", stats.running());
        engine.put("queued", stats.queued());
        engine.put("parked", stats.streams().parked());
        engine.put("kv_used_bytes", stats.kvUsedBytes());
        engine.put("kv_budget_bytes", stats.kvBudgetBytes());
        engine.put("steps", stats.steps());
        engine.put("rows", stats.rows());
        engine.put("tokens_generated", stats.tokensGenerated());
        Map<String, Object> heads = new LinkedHashMap<>();
        for (HeadMode mode : HeadMode.values()) {
            HeadTimings.Snapshot times = running.headTimings().snapshot(mode);
            if (times.allCalls().calls() > 0) {
                Map<String, Object> fields = new LinkedHashMap<>();
                fields.put("all_calls", latency(times.allCalls()));
                fields.put("single_row", latency(times.singleRow()));
                fields.put("rows", times.rows());
                fields.put("gb_per_s", times.gigabytesPerSecond());
                heads.put(mode.wireName(), fields);
            }
        }
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("engine", engine);
        report.put("logits", heads);
        return report;
    }

    private static Map<String, Object> latency(HeadTimings.Latency latency) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("calls", latency.calls());
        fields.put("us_p50", latency.p50Micros());
        fields.put("us_p99", latency.p99Micros());
        return fields;
    }
}

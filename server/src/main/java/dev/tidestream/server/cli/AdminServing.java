package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.patch.LowRankProduct;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedHeads;
import dev.tidestream.server.admin.AdminService;
import dev.tidestream.server.admin.AdminSetup;
import dev.tidestream.server.admin.MemoryBudget;
import dev.tidestream.server.admin.UpdateDirectory;
import dev.tidestream.server.engine.EngineStats;
import dev.tidestream.server.metrics.HeadTimings;
import dev.tidestream.server.transport.AdminAccess;
import dev.tidestream.server.transport.AdminToken;

/** The administrators' side of a server: who may come in, and the desk they come to. */
final class AdminServing {
    private final RunningModel running;
    private final LiveUpdateOptions options;
    private final String token;
    private final ServerMetrics metrics;

    /** @throws CliException if there is a token file and it is of no use */
    AdminServing(RunningModel running, LiveUpdateOptions options, ServerMetrics metrics) {
        this.metrics = metrics;
        this.running = running;
        this.options = options;
        this.token = options.tokenFile == null ? AdminToken.generate() : read(options.tokenFile);
    }

    private static String read(Path file) {
        try {
            return AdminToken.read(file);
        } catch (IOException e) {
            throw new CliException("admin token file cannot be read: %s: %s".formatted(file, e.getMessage()));
        } catch (IllegalArgumentException e) {
            throw new CliException(String.valueOf(e.getMessage()));
        }
    }

    AdminAccess access() {
        return new AdminAccess(AdminToken.of(token));
    }

    /** A token that was made up has to be told, this one time. */
    void announce(PrintWriter out, String address) {
        if (options.tokenFile == null) {
            out.printf("admin: %s (token, made up for this run: %s)%n", address, token);
        }
    }

    AdminService service(VersionStore store, MemoryBudget budget, LowRankProduct product) {
        AdminService service = new AdminSetup(
                running.epochs(),
                running.first(),
                running.loader(),
                running.forward(),
                running.precision(),
                options.versionLimit(),
                budget,
                options.builderShare(),
                store.log(),
                updateDirectory(options.updateDir),
                running.recentStates(),
                TiedHeads::build,
                product,
                this::runtime,
                metrics).service();
        metrics.observe(service);
        return service;
    }

    private static @Nullable UpdateDirectory updateDirectory(@Nullable Path directory) {
        try {
            return directory == null ? null : UpdateDirectory.of(directory);
        } catch (IOException e) {
            throw new CliException("update directory cannot be used: " + e.getMessage());
        }
    }

    /** What {@code stats} says of the engine and of the head's times. */
    private Map<String, Object> runtime() {
        EngineStats stats = running.engine().stats();
        Map<String, Object> engine = new LinkedHashMap<>();
        engine.put("running", stats.running());
        engine.put("queued", stats.queued());
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

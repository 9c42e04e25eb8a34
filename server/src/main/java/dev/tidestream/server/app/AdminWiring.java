package dev.tidestream.server.app;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.concurrent.CompletableFuture;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Printable;
import dev.tidestream.model.patch.LowRankProduct;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedHeads;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.AdminResult;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.HeadModes;
import dev.tidestream.server.admin.UpdatesDesk;
import dev.tidestream.server.admin.build.MemoryBudget;
import dev.tidestream.server.admin.service.AdapterDesk;
import dev.tidestream.server.admin.service.AdapterMerge;
import dev.tidestream.server.admin.service.AdminService;
import dev.tidestream.server.admin.service.AdminSetup;
import dev.tidestream.server.admin.service.TransactionDesk;
import dev.tidestream.server.admin.service.VersionAgreement;
import dev.tidestream.server.admin.store.KeptHeadMode;
import dev.tidestream.server.admin.store.UpdateDirectory;
import dev.tidestream.server.canary.CanaryEnd;
import dev.tidestream.server.canary.CanaryReport;
import dev.tidestream.server.engine.EngineStats;
import dev.tidestream.server.engine.TokenEngine;
import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.metrics.HeadTimings;
import dev.tidestream.server.scheduler.status.StreamStatus;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.weights.DeskThreads;
import dev.tidestream.server.weights.MergeEndpoints;
import dev.tidestream.server.weights.WeightEndpoints;
import dev.tidestream.server.weights.trainer.RunningStreams;
import dev.tidestream.server.weights.trainer.TrainerEndpoints;

/** The administrators' side of a server: the desk, and what it says of the engine. */
public final class AdminWiring {
    private static final Logger log = LoggerFactory.getLogger(AdminWiring.class);

    private static final int MAX_STREAMS = 500; // in one answer
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final ModelRuntime running;
    private final ServerConfig.Updates config;
    private final MetricsWiring metrics;
    private final EventLog audit = EventLog.of(EventLog.AUDIT);

    /** @param running the model that is administrated */
    public AdminWiring(ModelRuntime running, ServerConfig.Updates config, MetricsWiring metrics) {
        this.metrics = metrics;
        this.running = running;
        this.config = config;
    }

    /**
     * The desk.
     *
     * @param agreement with whom versions are agreed on before they are committed
     * @param directory where files of updates may come from; null for nowhere
     */
    public AdminService service(
            VersionStore store, MemoryBudget budget, LowRankProduct product, VersionAgreement agreement,
            @Nullable UpdateDirectory directory) {
        KeptHeadMode kept = config.dataDir() == null ? null : new KeptHeadMode(config.dataDir());
        AdminService service = new AdminSetup(
                running.epochs(),
                running.breaks(),
                running.loader(),
                () -> ModelFiles.otherMetadata(running.loader().source(), running.blueprint().vocabularySize(),
                        warning -> log.warn("exported file: {}", Printable.line(warning))),
                running.forward(),
                running.precision(),
                config.live(),
                budget.besideAdapters(running.adapters()::bytes),
                config.builderShare(),
                store.log(),
                agreement,
                directory,
                running.recentStates(),
                TiedHeads::build,
                product,
                config.checkpoints(),
                this::runtime,
                this::streams,
                kept == null ? metrics : kept.keeping(metrics)).service();
        if (kept != null) {
            kept.read().filter(mode -> mode != HeadMode.PACKED).ifPresent(mode -> restore(service, mode));
        }
        service.restoreHeld();
        metrics.observe(service);
        running.trials().onCanaryEnd(this::ended);
        return service;
    }

    /** Whatever an administrator has asked for is written down where that is answered. */
    private void ended(CanaryReport canary) {
        CanaryReport.Ended end = canary.end();
        if (end != null && (end.why().byRule() || end.why() == CanaryEnd.SUPERSEDED)) {
            audit.done(EventLine.of("canary").with("outcome", end.why().byRule() ? "rolled_back" : "ended")
                    .with("reason", end.why().wireName()).withText("detail", end.detail())
                    .with("version", canary.spec().weightsVersion()).with("baseline_version", canary.baselineVersion())
                    .with("streams", canary.canary().streams()).with("tokens", canary.canary().tokens()));
        }
    }

    /** What the admin channel asks: updates of many tensors, adapters, and the rest. */
    public AdminDesk channel(AdminService service) {
        return new TransactionDesk(new AdapterDesk(service, running.adapters(), running::weightsVersion),
                service.updates().orElse(null), running::weightsVersion);
    }

    /** What is asked about weights over HTTP; nothing without a data directory. */
    public List<EndpointFactory> weights(AdminService service, DeskThreads calls, EventLog audit) {
        UpdatesDesk updates = service.updates().orElse(null);
        if (updates == null) {
            return List.of();
        }
        List<EndpointFactory> asked = new ArrayList<>();
        asked.add(new WeightEndpoints(
                updates, service.versions(), service.trials(running.trials()), calls, running::weightsVersion, audit));
        asked.add(new MergeEndpoints(
                new AdapterMerge(running.adapters(), running.epochs(), updates), calls, running::weightsVersion, audit));
        if (config.trainers().enabled()) {
            asked.add(new TrainerEndpoints(
                    new TrainerEndpoints.Desks(updates, service.versions(), calls, running::weightsVersion, audit),
                    new EngineStreams(running.engine()), config.trainers().directories(), config.trainers().patience()));
        }
        return asked;
    }

    /** As a trainer may ask about them. */
    private record EngineStreams(TokenEngine engine) implements RunningStreams {
        @Override
        public long newest() {
            return engine.newestStream();
        }

        @Override
        public CompletableFuture<Integer> left(long newest) {
            return engine.streams().thenApply(all -> (int) all.stream().filter(stream -> stream.stream() <= newest).count());
        }

        @Override
        public void stop(long newest) {
            engine.stopUpTo(newest);
        }
    }

    /** Nobody streams yet, and the layout was compared when it was chosen. */
    private static void restore(AdminService service, HeadMode mode) {
        try {
            service.handle(new AdminRequest.OptimizationSet("start", HeadModes.of(mode), false), (stage, done, of) -> {});
            ServerLife.say(EventLine.of("head_mode").with("mode", mode.wireName()).with("from", "data_dir"));
        } catch (AdminException e) {
            log.warn("the head mode of before cannot be had, so the model begins with packed: mode={}, reason={}",
                    mode.wireName(), Printable.line(String.valueOf(e.getMessage())));
        }
    }

    /** What {@code stats} says of the engine and of the head's times. */
    private AdminResult.StreamFigures runtime() {
        EngineStats stats = running.stats();
        SequencedMap<OptimizationMode, AdminResult.HeadTimes> heads = new LinkedHashMap<>();
        for (HeadMode mode : HeadMode.values()) {
            HeadTimings.Snapshot times = running.headTimings().snapshot(mode);
            if (times.allCalls().calls() > 0) {
                heads.put(HeadModes.of(mode), new AdminResult.HeadTimes(
                        latency(times.allCalls()), latency(times.singleRow()), times.rows(), times.gigabytesPerSecond()));
            }
        }
        return new AdminResult.StreamFigures(
                new AdminResult.Engine(stats.running(), stats.queued(), stats.streams().parked(), stats.kvUsedBytes(),
                        stats.kvBudgetBytes(), stats.steps(), stats.rows(), stats.tokensGenerated(),
                        running.adapters().all().size(), running.adapters().bytes()),
                heads);
    }

    /** What {@code streams} says; the decode thread answers between two steps, or when it ends. */
    private AdminResult.Streams streams() {
        List<StreamStatus> all = running.engine().streams().join();
        return new AdminResult.Streams(all.size(), all.stream().limit(MAX_STREAMS).map(AdminWiring::row).toList());
    }

    private static AdminResult.StreamRow row(StreamStatus s) {
        return new AdminResult.StreamRow(s.stream(), s.place().name().toLowerCase(Locale.ROOT), s.demand(), s.promptTokens(), s.generated(),
                s.positions(), s.weightsVersion(), s.adapter(), (double) s.ageNs() / NANOS_PER_MILLI);
    }

    private static AdminResult.Latency latency(HeadTimings.Latency latency) {
        return new AdminResult.Latency(latency.calls(), latency.p50Micros(), latency.p99Micros());
    }
}

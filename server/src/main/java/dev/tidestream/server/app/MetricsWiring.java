package dev.tidestream.server.app;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedWeightStats;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminEvents;
import dev.tidestream.server.admin.service.AdminService;
import dev.tidestream.server.app.memory.JvmMemory;
import dev.tidestream.server.canary.CanaryEnd;
import dev.tidestream.server.canary.CanaryReport;
import dev.tidestream.server.canary.CanarySpec;
import dev.tidestream.server.canary.ShadowFigures;
import dev.tidestream.server.canary.ShadowReport;
import dev.tidestream.server.canary.SideFigures;
import dev.tidestream.server.engine.EngineStats;
import dev.tidestream.server.epoch.EpochStatus;
import dev.tidestream.server.keys.ApiKeys;
import dev.tidestream.server.metrics.ClusterMetrics;
import dev.tidestream.server.metrics.HeadTimings;
import dev.tidestream.server.metrics.KeyMetrics;
import dev.tidestream.server.metrics.Metrics;
import dev.tidestream.server.metrics.MetricsSample;
import dev.tidestream.server.metrics.StreamTimings;
import dev.tidestream.server.metrics.TrialMetrics;
import dev.tidestream.server.scheduler.kv.KvStats;
import dev.tidestream.server.scheduler.status.SchedulerStats;
import dev.tidestream.server.transport.MetricsPage;
import dev.tidestream.server.transport.TokenRefusal;
import dev.tidestream.server.transport.TransportStats;

/** Brings what the parts of a server know to the metrics, which know none of them. */
public final class MetricsWiring implements AdminEvents, AutoCloseable {
    private static final EngineStats IDLE = new EngineStats(SchedulerStats.NONE, 0, 0, new KvStats(0, 0, 0, 0, 0, 0), 0, 0);

    private final @Nullable ModelRuntime running;
    private final LongSupplier weightsVersion;
    private final Metrics metrics;
    private final Map<String, Long> ends = new ConcurrentHashMap<>(); // of canaries, by reason
    private volatile @Nullable AdminService service;
    private volatile @Nullable Supplier<TransportStats> transport;

    /** @param running whose figures are read */
    public MetricsWiring(ModelRuntime running) {
        this(running, running::weightsVersion, running.headTimings(), running.streamTimings());
        metrics.showAdapters(() -> running.adapters().all().size(), running.adapters()::bytes);
        running.trials().onCanaryEnd(report -> Optional.ofNullable(report.end()).ifPresent(
                end -> ends.merge(end.why().wireName(), 1L, Long::sum)));
        metrics.show(new TrialMetrics(() -> trials(running)));
        describe(running.threads(), running.first().kernels().title());
    }

    private MetricsWiring(@Nullable ModelRuntime running, LongSupplier weightsVersion, HeadTimings heads, StreamTimings streams) {
        this.running = running;
        this.weightsVersion = weightsVersion;
        this.metrics = new Metrics(this::sample, heads, streams);
        metrics.expectTokenRefusals(Arrays.stream(TokenRefusal.values()).map(TokenRefusal::wireName).toList());
        metrics.expectRefusedUpdates(Arrays.stream(AdminErrorCode.values()).map(AdminErrorCode::wireName).toList());
    }

    /** Of a node that computes nothing: the figures of its engine are those of one that stands still. */
    static MetricsWiring ofGateway(LongSupplier weightsVersion) {
        MetricsWiring wiring = new MetricsWiring(null, weightsVersion, new HeadTimings(), new StreamTimings());
        wiring.describe(0, "none");
        return wiring;
    }

    private void describe(int threads, String kernels) {
        JvmMemory memory = JvmMemory.ofThisProcess();
        metrics.describe(
                Map.of("version", ProgramVersion.ours(), "java", Runtime.version().toString(), "threads", Integer.toString(threads),
                        "kernels", kernels),
                memory.heapBytes(), memory.directBytes());
    }

    /** Has the figures of the cluster shown from now on. */
    void observe(ClusterMetrics cluster) {
        metrics.show(cluster);
    }

    /** Has the head's figures read from this service from now on. */
    void observe(AdminService admin) {
        service = admin;
    }

    /** Has the figures of connections read from there from now on. */
    void observe(Supplier<TransportStats> stats) {
        transport = stats;
    }

    /**
     * Has refusals of keys shown, from their counters.
     *
     * @param named whether what each key used is shown, too
     */
    void observe(ApiKeys keys, boolean named) {
        metrics.show(new KeyMetrics(() -> {
            SortedMap<String, Long> refusals = new TreeMap<>();
            keys.refusals().forEach((why, count) -> refusals.put(why.wireName(), count));
            return refusals;
        }, () -> !named ? List.of() : keys.use().stream()
                .map(use -> new KeyMetrics.Use(use.name(), use.requests(), use.tokens(), use.streams())).toList()));
    }

    private TrialMetrics.Sample trials(ModelRuntime running) {
        Optional<CanaryReport> canary = running.trials().canary();
        Optional<ShadowReport> shadow = running.trials().shadow();
        SortedMap<String, TrialMetrics.Side> sides = new TreeMap<>();
        canary.ifPresent(report -> {
            sides.put("canary", side(report.canary()));
            sides.put("baseline", side(report.baseline()));
        });
        SortedMap<String, Long> all = new TreeMap<>();
        for (CanaryEnd why : CanaryEnd.values()) {
            all.put(why.wireName(), ends.getOrDefault(why.wireName(), 0L));
        }
        Optional<CanarySpec> runs = canary.filter(CanaryReport::runs).map(CanaryReport::spec);
        return new TrialMetrics.Sample(running.epochs().held().size(), runs.map(CanarySpec::weightsVersion).orElse(0L),
                runs.map(CanarySpec::share).orElse(0.0), sides, all,
                shadow.filter(ShadowReport::runs).map(report -> report.spec().weightsVersion()).orElse(0L),
                shadow.map(report -> figures(report.figures())).orElse(TrialMetrics.Shadow.NONE));
    }

    private static TrialMetrics.Side side(SideFigures side) {
        return new TrialMetrics.Side(side.streams(), side.tokens(), side.failedStreams(), side.nonFiniteRows(), side.meanLogprob());
    }

    private static TrialMetrics.Shadow figures(ShadowFigures shadow) {
        return new TrialMetrics.Shadow(shadow.rows(), shadow.nonFiniteRows(), shadow.otherTokens(), shadow.otherStreams(),
                shadow.maxDelta(), shadow.meanKl(), shadow.nanos());
    }

    MetricsPage page() {
        return new MetricsPage(Metrics.CONTENT_TYPE, metrics::scrape);
    }

    private MetricsSample sample() {
        ModelRuntime engine = running;
        if (engine == null) {
            return new MetricsSample(new MetricsSample.Engine(0, 0, 0, 0, 0, 0, 0, weightsVersion.getAsLong(), waiting(IDLE),
                    prefixes(IDLE.kv())), null, List.of(), transport());
        }
        EngineStats s = engine.stats();
        return new MetricsSample(
                new MetricsSample.Engine(s.running(), s.queued(), s.kvUsedBytes(), s.kvBudgetBytes(), s.steps(), s.rows(),
                        s.tokensGenerated(), s.weightsVersion(), waiting(s), prefixes(s.kv())),
                head(),
                engine.epochs().live().stream().map(MetricsWiring::epoch).toList(),
                transport());
    }

    private MetricsSample.Transport transport() {
        Supplier<TransportStats> source = transport;
        if (source == null) {
            return MetricsSample.Transport.NONE;
        }
        TransportStats s = source.get();
        SortedMap<String, Long> refusals = new TreeMap<>();
        s.refusals().forEach((refusal, count) -> refusals.put(refusal.wireName(), count));
        return new MetricsSample.Transport(s.streamConnections(), s.adminConnections(), s.pendingRequests(), s.idleConnections(),
                s.assemblyBytes(), s.assemblyLimitBytes(), s.inputPauses(), refusals);
    }

    private static MetricsSample.Waiting waiting(EngineStats s) {
        SchedulerStats streams = s.streams();
        return new MetricsSample.Waiting(s.promptsInIntake(), s.promptBytesInIntake(), streams.queuedBytes(), streams.parked(),
                streams.parkedBytes(), streams.recomputedRows(), streams.slotsGivenBack(), streams.blocksTaken(),
                streams.preemptions(), urgency(streams));
    }

    private static MetricsSample.Urgency urgency(SchedulerStats streams) {
        SchedulerStats.Deadlines deadlines = streams.deadlines();
        return new MetricsSample.Urgency(streams.queued() - streams.queuedBatch(), streams.queuedBatch(), streams.queuedTokens(),
                deadlines.met(), deadlines.missedWaiting(), deadlines.missedRunning());
    }

    private static MetricsSample.Prefixes prefixes(KvStats kv) {
        return new MetricsSample.Prefixes(kv.sharedBytes(), kv.keptBytes(), kv.reusedTokens(), kv.evictions());
    }

    private static MetricsSample.Epoch epoch(EpochStatus status) {
        return new MetricsSample.Epoch(status.weightsVersion(), status.headMode(), status.bytes());
    }

    private MetricsSample.@Nullable Head head() {
        AdminService admin = service;
        if (admin == null || running == null || !running.blueprint().tied()) {
            return null;
        }
        EmbeddingLayer head = admin.head();
        TiedWeightStats stats = head.stats();
        boolean int8 = running.precision().inHead(head, head.mode()) == ActivationPrecision.INT8;
        return new MetricsSample.Head(head.mode(), int8, stats.embeddingWeightBytes(), stats.transposedWeightBytes(),
                stats.totalBytes(), stats.optimizationOverhead());
    }

    @Override
    public void updateCommitted() {
        metrics.updateCommitted();
    }

    @Override
    public void rolledBack() {
        metrics.rolledBack();
    }

    @Override
    public void updateRefused(AdminErrorCode code) {
        metrics.updateRefused(code.wireName());
    }

    @Override
    public void modeChanged(HeadMode mode) {
        metrics.modeChanged(mode);
    }

    @Override
    public void modeChangeRefused(AdminErrorCode code) {
        metrics.modeChangeRefused(code.wireName());
    }

    @Override
    public void checkpointWritten() {
        metrics.checkpointWritten();
    }

    @Override
    public void checkpointFailed() {
        metrics.checkpointFailed();
    }

    /** Somebody was not let in as an administrator. */
    void tokenRefused(TokenRefusal why) {
        metrics.tokenRefused(why.wireName());
    }

    @Override
    public void close() {
        metrics.close();
    }
}

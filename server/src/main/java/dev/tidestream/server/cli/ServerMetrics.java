package dev.tidestream.server.cli;

import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedWeightStats;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminEvents;
import dev.tidestream.server.admin.AdminService;
import dev.tidestream.server.engine.EngineStats;
import dev.tidestream.server.epoch.EpochStatus;
import dev.tidestream.server.metrics.Metrics;
import dev.tidestream.server.metrics.MetricsSample;
import dev.tidestream.server.transport.MetricsPage;

/** Brings what the rooms know to the metrics, which know none of them. */
final class ServerMetrics implements AdminEvents, AutoCloseable {
    private final RunningModel running;
    private final Metrics metrics;
    private volatile @Nullable AdminService service;

    ServerMetrics(RunningModel running) {
        this.running = running;
        this.metrics = new Metrics(this::sample, running.headTimings(), running.streamTimings());
        JvmMemory memory = JvmMemory.ofThisProcess();
        metrics.describe(
                Map.of("version", Version.ours(), "java", Runtime.version().toString(), "threads",
                Integer.toString(running.threads()),
                        "kernels", Kernels.fastest().title()),
                memory.heapBytes(), memory.directBytes());
    }

    /** Has the head's figures read from this service from now on. */
    void observe(AdminService admin) {
        service = admin;
    }

    MetricsPage page() {
        return new MetricsPage(Metrics.CONTENT_TYPE, metrics::scrape);
    }

    private MetricsSample sample() {
        EngineStats s = running.engine().stats();
        return new MetricsSample(
                new MetricsSample.Engine(s.running(), s.queued(), s.kvUsedBytes(), s.kvBudgetBytes(), s.steps(), s.rows(),
                        s.tokensGenerated(), s.weightsVersion()),
                head(),
                running.epochs().live().stream().map(ServerMetrics::epoch).toList());
    }

    private static MetricsSample.Epoch epoch(EpochStatus status) {
        return new MetricsSample.Epoch(status.weightsVersion(), status.headMode(), status.bytes());
    }

    private MetricsSample.@Nullable Head head() {
        AdminService admin = service;
        if (admin == null || !running.config().tied()) {
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
    public void close() {
        metrics.close();
    }
}

package dev.tidestream.server.metrics;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;

import dev.tidestream.model.tied.HeadMode;

/**
 * All metrics of a server, in a registry of its own; {@code docs/metrics.md} lists them. What happens is counted here, by any
 * thread; what others count is read when a page is made.
 */
public final class Metrics implements AutoCloseable {
    /** Of {@link #scrape}: the Prometheus text format. */
    public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics gc = new JvmGcMetrics();
    private final Counter updatesCommitted;
    private final Counter rollbacks;
    private final Counter checkpointsWritten;
    private final Counter checkpointsFailed;

    /**
     * Begins to count.
     *
     * @param sampler what the server holds now; called once per page, on the thread that asks for it, so it must not block
     */
    public Metrics(Supplier<MetricsSample> sampler, HeadTimings headTimings, StreamTimings streamTimings) {
        registry.throwExceptionOnRegistrationFailure();
        registry.getPrometheusRegistry().register(new SampledMetrics(sampler, headTimings, streamTimings));
        updatesCommitted = Counter.builder("tidestream.weights.updates.committed")
                .description("Updates of weights that were committed.").register(registry);
        rollbacks = Counter.builder("tidestream.weights.rollbacks")
                .description("Rollbacks to older weights that were committed.").register(registry);
        checkpointsWritten = Counter.builder("tidestream.weights.checkpoints")
                .description("Checkpoints of weights that were written.").register(registry);
        checkpointsFailed = Counter.builder("tidestream.weights.checkpoints.failed")
                .description("Checkpoints of weights that could not be written.").register(registry);
        for (HeadMode mode : HeadMode.values()) {
            modeChanges(mode); // shown as 0 from the start
        }
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        gc.bindTo(registry);
    }

    /**
     * What stays the same as long as the server runs.
     *
     * @param facts name and value: labels of {@code tidestream_server_info}, which is always 1
     * @param heapMaxBytes ceiling of the JVM's heap
     * @param directMaxBytes ceiling of direct buffers
     */
    public void describe(Map<String, String> facts, long heapMaxBytes, long directMaxBytes) {
        InfoSnapshot.Builder info = InfoSnapshot.builder().name("tidestream_server").help("What this server is; always 1.");
        info.dataPoint(InfoSnapshot.InfoDataPointSnapshot.builder()
                .labels(Labels.of(facts.keySet().stream().sorted().toList(),
                        facts.keySet().stream().sorted().map(facts::get).toList()))
                .build());
        InfoSnapshot built = info.build();
        registry.getPrometheusRegistry().register((Collector) () -> built);
        Gauge.builder("tidestream.jvm.heap.max", () -> heapMaxBytes).baseUnit("bytes")
                .description("Ceiling of the JVM's heap.").register(registry);
        Gauge.builder("tidestream.jvm.direct.max", () -> directMaxBytes).baseUnit("bytes")
                .description("Ceiling of direct buffers, of Netty's and of the JDK's each.").register(registry);
    }

    /** Shows how many adapters are served, and the memory of their weights. */
    public void showAdapters(Supplier<Number> count, Supplier<Number> bytes) {
        Gauge.builder("tidestream.adapters.served", count).description("Adapters that are served.").register(registry);
        Gauge.builder("tidestream.adapters", bytes).baseUnit("bytes")
                .description("Memory of the weights of adapters, of unloaded ones that streams still use, too.").register(registry);
    }

    /** Shows versions that are held or tried. */
    public void show(TrialMetrics trials) {
        registry.getPrometheusRegistry().register(trials);
    }

    /** Shows what clients' keys were refused and have used. */
    public void show(KeyMetrics keys) {
        registry.getPrometheusRegistry().register(keys);
    }

    /** Shows what a gateway relays. */
    public void show(ClusterMetrics cluster) {
        registry.getPrometheusRegistry().register(cluster);
    }

    /** The page. Whatever the sampler throws comes through. Any thread. */
    public String scrape() {
        return registry.scrape(CONTENT_TYPE);
    }

    /** An update of weights was committed. */
    public void updateCommitted() {
        updatesCommitted.increment();
    }

    /**
     * An update or a rollback was refused.
     *
     * @param code one of a fixed set, as it stands in the answer
     */
    public void updateRefused(String code) {
        updatesRefused(code).increment();
    }

    /** Shows every code of {@link #updateRefused} as 0 from the start: what begins with 1 is no increase for Prometheus. */
    public void expectRefusedUpdates(List<String> codes) {
        codes.forEach(this::updatesRefused);
    }

    private Counter updatesRefused(String code) {
        return Counter.builder("tidestream.weights.updates.refused")
                .description("Updates of weights and rollbacks that were refused.").tag("code", code).register(registry);
    }

    /** A rollback was committed. */
    public void rolledBack() {
        rollbacks.increment();
    }

    /** The head computes in this mode from now on. */
    public void modeChanged(HeadMode mode) {
        modeChanges(mode).increment();
    }

    private Counter modeChanges(HeadMode mode) {
        return Counter.builder("tidestream.head.mode.changes")
                .description("Changes to a mode of the head.").tag("mode", mode.wireName()).register(registry);
    }

    /**
     * A change of the mode was refused.
     *
     * @param code one of a fixed set, as it stands in the answer
     */
    public void modeChangeRefused(String code) {
        Counter.builder("tidestream.head.mode.changes.refused")
                .description("Changes of the head's mode that were refused.").tag("code", code).register(registry).increment();
    }

    /** A checkpoint of the weights was written. */
    public void checkpointWritten() {
        checkpointsWritten.increment();
    }

    /** A checkpoint of the weights could not be written. */
    public void checkpointFailed() {
        checkpointsFailed.increment();
    }

    /** Shows every reason of {@link #tokenRefused} as 0 from the start. */
    public void expectTokenRefusals(List<String> reasons) {
        reasons.forEach(this::tokenRefusals);
    }

    /**
     * Somebody was not let in as an administrator.
     *
     * @param reason one of a fixed set
     */
    public void tokenRefused(String reason) {
        tokenRefusals(reason).increment();
    }

    private Counter tokenRefusals(String reason) {
        return Counter.builder("tidestream.admin.token.refusals")
                .description("Requests for the admin channel that showed no token or a wrong one.").tag("reason", reason).register(registry);
    }

    /** Stops listening to the garbage collector. */
    @Override
    public void close() {
        gc.close();
        registry.close();
    }
}

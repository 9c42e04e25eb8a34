package dev.tidestream.server.metrics;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.Supplier;

import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;

/** Versions that are held or tried: read once per page. Counts of a canary or a shadow begin anew with the next one. */
public final class TrialMetrics implements MultiCollector {
    private static final double NANOS_PER_SECOND = 1e9;

    private final Supplier<Sample> sampler;

    /**
     * What there is at one moment.
     *
     * @param held versions in memory that wait to be published
     * @param canaryVersion 0 if no canary runs
     * @param canaryShare 0 if no canary runs
     * @param sides of the last canary, by name; empty if there was none
     * @param ends canaries that have ended since the start, by reason; all reasons there are
     * @param shadowVersion 0 if no shadow runs
     * @param shadow the last one
     */
    public record Sample(
            int held, long canaryVersion, double canaryShare, SortedMap<String, Side> sides, SortedMap<String, Long> ends,
            long shadowVersion, Shadow shadow) {}

    /**
     * A side of a canary.
     *
     * @param meanLogprob NaN before any token was scored
     */
    public record Side(long streams, long tokens, long failedStreams, long nonFiniteRows, double meanLogprob) {}

    /**
     * A shadow.
     *
     * @param meanKl NaN before any row was compared
     */
    public record Shadow(long rows, long nonFiniteRows, long otherTokens, long otherStreams, double maxDelta, double meanKl, long nanos) {
        /** None. */
        public static final Shadow NONE = new Shadow(0, 0, 0, 0, 0, Double.NaN, 0);
    }

    /** Asks this for each page, on the thread that wants it. */
    public TrialMetrics(Supplier<Sample> sampler) {
        this.sampler = sampler;
    }

    @Override
    public MetricSnapshots collect() {
        Sample sample = sampler.get();
        MetricSnapshots.Builder page = MetricSnapshots.builder();
        page.metricSnapshot(gauge("tidestream_weights_held_versions", "Versions in memory that wait to be published.", sample.held()));
        page.metricSnapshot(gauge("tidestream_canary_version", "Version that some new streams begin with; 0 for none.",
                sample.canaryVersion()));
        page.metricSnapshot(gauge("tidestream_canary_share", "Share of new streams that begin with it.", sample.canaryShare()));
        sides(sample.sides(), page);
        CounterSnapshot.Builder ends = CounterSnapshot.builder().name("tidestream_canary_ended").help("Canaries that have ended, by reason.");
        sample.ends().forEach((reason, count) -> ends.dataPoint(count(Labels.of("reason", reason), count)));
        page.metricSnapshot(ends.build());
        page.metricSnapshot(gauge("tidestream_shadow_version", "Version whose logits are computed beside live ones; 0 for none.",
                sample.shadowVersion()));
        shadow(sample.shadow(), page);
        return page.build();
    }

    private static void sides(SortedMap<String, Side> sides, MetricSnapshots.Builder page) {
        CounterSnapshot.Builder streams = CounterSnapshot.builder().name("tidestream_canary_streams").help("New streams, by side.");
        CounterSnapshot.Builder tokens = CounterSnapshot.builder().name("tidestream_canary_tokens").help("Tokens, by side.");
        CounterSnapshot.Builder failed = CounterSnapshot.builder().name("tidestream_canary_failed_streams")
                .help("Streams that ended with a fault of model or server, by side.");
        CounterSnapshot.Builder nonFinite = CounterSnapshot.builder().name("tidestream_canary_non_finite_rows")
                .help("Rows of logits that were not finite, by side.");
        GaugeSnapshot.Builder logprob = GaugeSnapshot.builder().name("tidestream_canary_mean_logprob")
                .help("Mean log-probability of sampled tokens, by side.");
        for (Map.Entry<String, Side> entry : sides.entrySet()) {
            Labels label = Labels.of("side", entry.getKey());
            Side side = entry.getValue();
            streams.dataPoint(count(label, side.streams()));
            tokens.dataPoint(count(label, side.tokens()));
            failed.dataPoint(count(label, side.failedStreams()));
            nonFinite.dataPoint(count(label, side.nonFiniteRows()));
            if (Double.isFinite(side.meanLogprob())) {
                logprob.dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder().labels(label).value(side.meanLogprob()).build());
            }
        }
        List.of(streams, tokens, failed, nonFinite).forEach(counter -> page.metricSnapshot(counter.build()));
        page.metricSnapshot(logprob.build());
    }

    private static void shadow(Shadow shadow, MetricSnapshots.Builder page) {
        page.metricSnapshot(counter("tidestream_shadow_rows", "Rows of logits that were compared.", shadow.rows()));
        page.metricSnapshot(counter("tidestream_shadow_non_finite_rows", "Rows of the shadow that were not finite.", shadow.nonFiniteRows()));
        page.metricSnapshot(counter("tidestream_shadow_other_tokens", "Rows whose greedy token is another.", shadow.otherTokens()));
        page.metricSnapshot(counter("tidestream_shadow_other_streams", "Streams with such a row.", shadow.otherStreams()));
        page.metricSnapshot(gauge("tidestream_shadow_max_delta", "Largest difference of a logit.", shadow.maxDelta()));
        GaugeSnapshot.Builder kl = GaugeSnapshot.builder().name("tidestream_shadow_mean_kl").help("Mean divergence of a row, in nats.");
        if (Double.isFinite(shadow.meanKl())) {
            kl.dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder().value(shadow.meanKl()).build());
        }
        page.metricSnapshot(kl.build());
        page.metricSnapshot(counter("tidestream_shadow_seconds", "Time of steps that the shadow took.", shadow.nanos() / NANOS_PER_SECOND));
    }

    private static GaugeSnapshot gauge(String name, String help, double value) {
        return GaugeSnapshot.builder().name(name).help(help)
                .dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder().value(value).build()).build();
    }

    private static CounterSnapshot counter(String name, String help, double value) {
        return CounterSnapshot.builder().name(name).help(help).dataPoint(count(Labels.EMPTY, value)).build();
    }

    private static CounterSnapshot.CounterDataPointSnapshot count(Labels labels, double value) {
        return CounterSnapshot.CounterDataPointSnapshot.builder().labels(labels).value(value).build();
    }
}

package dev.tidestream.server.metrics;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.Quantile;
import io.prometheus.metrics.model.snapshots.Quantiles;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;

import dev.tidestream.model.tied.HeadMode;

/**
 * What others count, read when a page is made: one sample per page, so that its numbers belong together, and no label outlives
 * what it names. Micrometer's gauges would ask for each number alone, and hold their source weakly.
 */
final class SampledMetrics implements MultiCollector {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double MICROS_PER_SECOND = 1e6;
    private static final double BYTES_PER_GIGABYTE = 1e9;

    private final Supplier<MetricsSample> sampler;
    private final HeadTimings headTimings;
    private final StreamTimings streamTimings;

    SampledMetrics(Supplier<MetricsSample> sampler, HeadTimings headTimings, StreamTimings streamTimings) {
        this.sampler = sampler;
        this.headTimings = headTimings;
        this.streamTimings = streamTimings;
    }

    @Override
    public MetricSnapshots collect() {
        MetricsSample sample = sampler.get();
        List<MetricSnapshot> page = new ArrayList<>();
        engine(sample.engine(), page);
        epochs(sample.epochs(), page);
        if (sample.head() != null) {
            head(sample.head(), page);
        }
        transport(sample.transport(), page);
        headTimings(page);
        page.add(histogram("tidestream_stream_first_token_seconds",
                "Time from a request to its first token.", streamTimings.firstTokenSnapshot()));
        page.add(histogram("tidestream_stream_next_token_seconds",
                "Time from one token of a stream to the next.", streamTimings.nextTokenSnapshot()));
        page.add(histogram("tidestream_stream_queue_seconds",
                "Time from a request to its first place.", streamTimings.queuedSnapshot()));
        page.add(histogram("tidestream_stream_duration_seconds", "Time from a request to its end.", streamTimings.wholeSnapshot()));
        steps(page);
        genAi(page);
        return new MetricSnapshots(page);
    }

    private void steps(List<MetricSnapshot> page) {
        HistogramSnapshot.Builder steps = HistogramSnapshot.builder().name("tidestream_engine_step_seconds").help("Time of a step, by what its rows are of.");
        for (StreamTimings.Phase phase : StreamTimings.Phase.values()) {
            steps.dataPoint(times(Labels.of("phase", phase.name().toLowerCase(Locale.ROOT)), streamTimings.stepSnapshot(phase)));
        }
        page.add(steps.build());
        CounterSnapshot.Builder ended = CounterSnapshot.builder().name("tidestream_streams_ended").help("Streams that have ended, by outcome.");
        streamTimings.outcomes().forEach((outcome, count) -> ended.dataPoint(count(Labels.of("outcome", outcome), count)));
        page.add(ended.build());
    }

    /** The same under the names of OpenTelemetry's semantic conventions for generative AI (status: development). */
    private void genAi(List<MetricSnapshot> page) {
        page.add(histogram("gen_ai_server_time_to_first_token_seconds",
                "Time to generate the first token of a response.", streamTimings.firstTokenSnapshot()));
        page.add(histogram("gen_ai_server_time_per_output_token_seconds",
                "Time per output token after the first one.", streamTimings.nextTokenSnapshot()));
        page.add(histogram("gen_ai_server_request_duration_seconds",
                "Duration of a request: time to the last byte or the last token.", streamTimings.wholeSnapshot()));
    }

    private static void engine(MetricsSample.Engine engine, List<MetricSnapshot> page) {
        page.add(gauge("tidestream_engine_running_streams", "Streams with a slot.", engine.running()));
        page.add(gauge("tidestream_engine_queued_streams", "Streams with demand that wait for a slot.", engine.queued()));
        page.add(gauge("tidestream_engine_kv_used_bytes", "KV memory lent to streams.", engine.kvUsedBytes()));
        page.add(gauge("tidestream_engine_kv_budget_bytes", "KV memory there is.", engine.kvBudgetBytes()));
        page.add(GaugeSnapshot.builder().name("tidestream_engine_kv_usage_ratio").help("Part of the KV memory that is lent to streams, 0 to 1.")
                .dataPoint(measure(Labels.EMPTY, engine.kvBudgetBytes() == 0 ? 0 : (double) engine.kvUsedBytes() / engine.kvBudgetBytes()))
                .build());
        page.add(counter("tidestream_engine_steps", "Forward passes.", engine.steps()));
        page.add(counter("tidestream_engine_rows", "Rows of forward passes, prompts and generated tokens.", engine.rows()));
        page.add(counter("tidestream_engine_generated_tokens", "Tokens sampled.", engine.tokensGenerated()));
        page.add(gauge("tidestream_weights_version", "The newest version of the weights.", engine.weightsVersion()));
        waiting(engine.waiting(), page);
        urgency(engine.waiting().urgency(), page);
        prefixes(engine.prefixes(), page);
    }

    private static void prefixes(MetricsSample.Prefixes prefixes, List<MetricSnapshot> page) {
        page.add(gauge("tidestream_engine_prefix_shared_bytes",
                "KV memory that any stream may take, lent or kept.", prefixes.sharedBytes()));
        page.add(gauge("tidestream_engine_prefix_kept_bytes",
                "KV memory that is kept for prompts to come.", prefixes.keptBytes()));
        page.add(counter("tidestream_engine_prefix_hit_tokens",
                "Tokens whose keys and values were there already and were not computed.", prefixes.hitTokens()));
        page.add(counter("tidestream_engine_prefix_evictions",
                "How often kept blocks of 32 positions were given up.", prefixes.evictions()));
    }

    private static void waiting(MetricsSample.Waiting waiting, List<MetricSnapshot> page) {
        page.add(gauge("tidestream_engine_tokenizing_prompts",
                "Prompts that wait for the tokenizer or are with it.", waiting.tokenizingPrompts()));
        page.add(gauge("tidestream_engine_tokenizing_bytes",
                "Memory of prompts that wait for the tokenizer or are with it.", waiting.tokenizingBytes()));
        page.add(gauge("tidestream_engine_queued_bytes",
                "Memory of streams that wait for a slot, KV memory apart.", waiting.queuedBytes()));
        page.add(gauge("tidestream_engine_parked_streams", "Streams without demand and without a slot.", waiting.parked()));
        page.add(gauge("tidestream_engine_parked_bytes", "Memory of parked streams, KV memory apart.", waiting.parkedBytes()));
        page.add(counter("tidestream_engine_recomputed_rows",
                "Rows that had been computed before: of streams whose KV memory was taken, or that follow new weights.",
                waiting.recomputedRows()));
        page.add(counter("tidestream_engine_slots_given_back", "How often a stream that had not ended gave its slot back.",
                waiting.slotsGivenBack()));
        page.add(counter("tidestream_engine_kv_taken",
                "How often a stream lost its KV memory to another.", waiting.blocksTaken()));
        page.add(counter("tidestream_engine_preemptions",
                "How often a stream with demand and a slot lost both to an older one.", waiting.preemptions()));
    }

    private static void urgency(MetricsSample.Urgency urgency, List<MetricSnapshot> page) {
        page.add(GaugeSnapshot.builder().name("tidestream_engine_waiting_streams")
                .help("Streams with demand that wait for a slot, by priority.")
                .dataPoint(point(Labels.of("priority", "interactive"), urgency.interactive()))
                .dataPoint(point(Labels.of("priority", "batch"), urgency.batch()))
                .build());
        page.add(gauge("tidestream_engine_queued_tokens", "Tokens of the prompts of streams that wait for a slot.", urgency.queuedTokens()));
        page.add(CounterSnapshot.builder().name("tidestream_engine_deadlines").help("Streams with a deadline, by what became of it.")
                .dataPoint(count(Labels.of("outcome", "met"), urgency.met()))
                .dataPoint(count(Labels.of("outcome", "missed_waiting"), urgency.missedWaiting()))
                .dataPoint(count(Labels.of("outcome", "missed_running"), urgency.missedRunning()))
                .build());
    }

    private static void transport(MetricsSample.Transport transport, List<MetricSnapshot> page) {
        page.add(GaugeSnapshot.builder().name("tidestream_websocket_connections").help("Open WebSockets.")
                .dataPoint(point(Labels.of("channel", "stream"), transport.streamConnections()))
                .dataPoint(point(Labels.of("channel", "admin"), transport.adminConnections()))
                .build());
        page.add(GaugeSnapshot.builder().name("tidestream_http_connections").help("Connections that are no WebSockets.")
                .dataPoint(point(Labels.of("state", "pending"), transport.pendingRequests()))
                .dataPoint(point(Labels.of("state", "idle"), transport.idleConnections()))
                .build());
        page.add(gauge("tidestream_websocket_assembly_bytes",
                "Held of messages that have not come to their end.", transport.assemblyBytes()));
        page.add(gauge("tidestream_websocket_assembly_limit_bytes",
                "What may be held of messages that have not come to their end.", transport.assemblyLimitBytes()));
        page.add(CounterSnapshot.builder().name("tidestream_websocket_input_pauses")
                .help("How often a connection that sent too fast was not read from for a while.")
                .dataPoint(count(Labels.EMPTY, transport.inputPauses()))
                .build());
        CounterSnapshot.Builder refusals = CounterSnapshot.builder().name("tidestream_transport_refusals")
                .help("What the transport did not take, by reason.");
        transport.refusals().forEach((reason, count) -> refusals.dataPoint(count(Labels.of("reason", reason), count)));
        page.add(refusals.build());
    }

    private static void epochs(List<MetricsSample.Epoch> epochs, List<MetricSnapshot> page) {
        page.add(gauge("tidestream_epochs_alive", "Epochs in memory: versions of the weights, each with its head.", epochs.size()));
        Map<Labels, Long> largest = new LinkedHashMap<>(); // a toggle there and back leaves epochs with the same labels
        for (MetricsSample.Epoch epoch : epochs) {
            Labels labels = Labels.of("weights_version", Long.toString(epoch.weightsVersion()), "mode", epoch.mode().wireName());
            largest.merge(labels, epoch.bytes(), Math::max);
        }
        GaugeSnapshot.Builder bytes = GaugeSnapshot.builder().name("tidestream_epoch_bytes")
                .help("Weights of an epoch in memory, with those that it shares with other epochs.");
        largest.forEach((labels, size) -> bytes.dataPoint(point(labels, size)));
        page.add(bytes.build());
    }

    private static void head(MetricsSample.Head head, List<MetricSnapshot> page) {
        GaugeSnapshot.Builder mode = GaugeSnapshot.builder().name("tidestream_head_mode")
                .help("1 for the mode in which the head computes, 0 for the others.");
        for (HeadMode candidate : HeadMode.values()) {
            mode.dataPoint(point(mode(candidate), candidate == head.mode() ? 1 : 0));
        }
        page.add(mode.build());
        page.add(gauge("tidestream_head_int8_activations",
                "1 if the head multiplies int8 activations, 0 if float32.", head.int8Activations() ? 1 : 0));
        page.add(gauge("tidestream_head_embedding_weight_bytes",
                "The matrix that lookups gather from.", head.embeddingWeightBytes()));
        page.add(gauge("tidestream_head_transposed_weight_bytes",
                "The layout that logits stream through, where it is not the embedding itself; then 0.", head.transposedWeightBytes()));
        page.add(gauge("tidestream_head_total_bytes", "All memory of the tied weight.", head.totalBytes()));
        page.add(gauge("tidestream_head_optimization_overhead_bytes",
                "Memory of the tied weight beyond one copy.", head.optimizationOverheadBytes()));
    }

    private void headTimings(List<MetricSnapshot> page) {
        SummarySnapshot.Builder all = SummarySnapshot.builder().name("tidestream_head_logits_seconds")
                .help("Time of a computation of logits, since the start.");
        SummarySnapshot.Builder single = SummarySnapshot.builder().name("tidestream_head_logits_single_row_seconds")
                .help("Time of a computation of logits for one row, since the start.");
        CounterSnapshot.Builder rows = CounterSnapshot.builder().name("tidestream_head_rows").help("Rows of logits.");
        CounterSnapshot.Builder bytes = CounterSnapshot.builder().name("tidestream_head_read_bytes")
                .help("Bytes of the head's matrix that computing logits read.");
        GaugeSnapshot.Builder speed = GaugeSnapshot.builder().name("tidestream_head_read_bytes_per_second")
                .help("Bytes read while logits were computed, per second of that, since the start.");
        for (HeadMode mode : HeadMode.values()) {
            HeadTimings.Snapshot snapshot = headTimings.snapshot(mode);
            Labels labels = mode(mode);
            all.dataPoint(summary(labels, snapshot.allCalls()));
            single.dataPoint(summary(labels, snapshot.singleRow()));
            rows.dataPoint(count(labels, snapshot.rows()));
            bytes.dataPoint(count(labels, snapshot.bytesRead()));
            speed.dataPoint(measure(labels, snapshot.gigabytesPerSecond() * BYTES_PER_GIGABYTE));
        }
        page.addAll(List.of(all.build(), single.build(), rows.build(), bytes.build(), speed.build()));
    }

    private static SummarySnapshot.SummaryDataPointSnapshot summary(Labels labels, HeadTimings.Latency latency) {
        Quantiles quantiles = latency.calls() == 0
                ? Quantiles.EMPTY // a quantile of nothing would be NaN
                : Quantiles.of(
                        new Quantile(0.5, latency.p50Micros() / MICROS_PER_SECOND),
                        new Quantile(0.99, latency.p99Micros() / MICROS_PER_SECOND));
        return SummarySnapshot.SummaryDataPointSnapshot.builder()
                .labels(labels)
                .count(latency.calls())
                .quantiles(quantiles)
                .sum(latency.nanos() / NANOS_PER_SECOND)
                .build();
    }

    private static HistogramSnapshot histogram(String name, String help, TimeBuckets.Snapshot times) {
        return HistogramSnapshot.builder().name(name).help(help).dataPoint(times(Labels.EMPTY, times)).build();
    }

    private static HistogramSnapshot.HistogramDataPointSnapshot times(Labels labels, TimeBuckets.Snapshot times) {
        return HistogramSnapshot.HistogramDataPointSnapshot.builder()
                .labels(labels)
                .classicHistogramBuckets(ClassicHistogramBuckets.of(times.upperSeconds(), times.counts()))
                .sum(times.sumSeconds())
                .build();
    }

    private static GaugeSnapshot gauge(String name, String help, long value) {
        return GaugeSnapshot.builder().name(name).help(help).dataPoint(point(Labels.EMPTY, value)).build();
    }

    private static CounterSnapshot counter(String name, String help, long value) {
        return CounterSnapshot.builder().name(name).help(help).dataPoint(count(Labels.EMPTY, value)).build();
    }

    private static GaugeSnapshot.GaugeDataPointSnapshot point(Labels labels, long value) {
        return measure(labels, (double) value);
    }

    private static GaugeSnapshot.GaugeDataPointSnapshot measure(Labels labels, double value) {
        return GaugeSnapshot.GaugeDataPointSnapshot.builder().labels(labels).value(value).build();
    }

    private static CounterSnapshot.CounterDataPointSnapshot count(Labels labels, long value) {
        return CounterSnapshot.CounterDataPointSnapshot.builder().labels(labels).value((double) value).build();
    }

    private static Labels mode(HeadMode mode) {
        return Labels.of("mode", mode.wireName());
    }
}

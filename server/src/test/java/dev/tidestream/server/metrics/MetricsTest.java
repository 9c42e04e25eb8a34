package dev.tidestream.server.metrics;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.tidestream.model.tied.HeadMode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The page that Prometheus reads. */
class MetricsTest {
    private static final MetricsSample.Transport TRANSPORT = new MetricsSample.Transport(
            4, 1, 6, 7, 8000, 9000, 10, new TreeMap<>(Map.of("request_timeout", 11L, "foreign_origin", 0L)));
    private static final MetricsSample SAMPLE = new MetricsSample(
            new MetricsSample.Engine(3, 2, 1 << 20, 1 << 30, 100, 250, 180, 7,
                    new MetricsSample.Waiting(11, 1200, 1300, 14, 1500, 16, 17, 18, 19, new MetricsSample.Urgency(2, 5, 3100, 32, 33, 34)),
                    new MetricsSample.Prefixes(2000, 2100, 22, 23)),
            new MetricsSample.Head(HeadMode.CACHED_TRANSPOSE, false, 1000, 4000, 5000, 4000),
            List.of(epoch(6, HeadMode.PACKED, 900), epoch(7, HeadMode.CACHED_TRANSPOSE, 1000)),
            TRANSPORT);

    private final AtomicReference<MetricsSample> sample = new AtomicReference<>(SAMPLE);
    private final HeadTimings head = new HeadTimings();
    private final StreamTimings streams = new StreamTimings();
    private final Metrics metrics = new Metrics(sample::get, head, streams);

    @AfterEach
    void close() {
        metrics.close();
    }

    private static MetricsSample.Epoch epoch(long version, HeadMode mode, long bytes) {
        return new MetricsSample.Epoch(version, mode, bytes);
    }

    private static String epochBytes(long version, String mode) {
        return "tidestream_epoch_bytes{mode=\"%s\",weights_version=\"%d\"}".formatted(mode, version);
    }

    private static List<String> epochSeries(PrometheusPage page) {
        return page.samples().keySet().stream().filter(name -> name.startsWith("tidestream_epoch_bytes")).toList();
    }

    private PrometheusPage page() {
        return PrometheusPage.parse(metrics.scrape());
    }

    @Test
    void shouldShowWhatIsSampled() {
        PrometheusPage page = page();
        Map.ofEntries(
                Map.entry("tidestream_engine_running_streams", 3),
                Map.entry("tidestream_engine_queued_streams", 2),
                Map.entry("tidestream_engine_tokenizing_prompts", 11),
                Map.entry("tidestream_engine_tokenizing_bytes", 1200),
                Map.entry("tidestream_engine_queued_bytes", 1300),
                Map.entry("tidestream_engine_waiting_streams{priority=\"interactive\"}", 2),
                Map.entry("tidestream_engine_waiting_streams{priority=\"batch\"}", 5),
                Map.entry("tidestream_engine_queued_tokens", 3100),
                Map.entry("tidestream_engine_deadlines_total{outcome=\"met\"}", 32),
                Map.entry("tidestream_engine_deadlines_total{outcome=\"missed_waiting\"}", 33),
                Map.entry("tidestream_engine_deadlines_total{outcome=\"missed_running\"}", 34),
                Map.entry("tidestream_engine_parked_streams", 14),
                Map.entry("tidestream_engine_parked_bytes", 1500),
                Map.entry("tidestream_engine_recomputed_rows_total", 16),
                Map.entry("tidestream_engine_slots_given_back_total", 17),
                Map.entry("tidestream_engine_kv_taken_total", 18),
                Map.entry("tidestream_engine_preemptions_total", 19),
                Map.entry("tidestream_engine_prefix_shared_bytes", 2000),
                Map.entry("tidestream_engine_prefix_kept_bytes", 2100),
                Map.entry("tidestream_engine_prefix_hit_tokens_total", 22),
                Map.entry("tidestream_engine_prefix_evictions_total", 23),
                Map.entry("tidestream_engine_kv_used_bytes", 1 << 20),
                Map.entry("tidestream_engine_kv_budget_bytes", 1 << 30),
                Map.entry("tidestream_engine_steps_total", 100),
                Map.entry("tidestream_engine_rows_total", 250),
                Map.entry("tidestream_engine_generated_tokens_total", 180),
                Map.entry("tidestream_weights_version", 7),
                Map.entry("tidestream_epochs_alive", 2),
                Map.entry(epochBytes(6, "packed"), 900),
                Map.entry(epochBytes(7, "cached-transpose"), 1000),
                Map.entry("tidestream_head_mode{mode=\"packed\"}", 0),
                Map.entry("tidestream_head_mode{mode=\"cached-transpose\"}", 1),
                Map.entry("tidestream_head_mode{mode=\"transpose-per-step\"}", 0),
                Map.entry("tidestream_head_int8_activations", 0),
                Map.entry("tidestream_head_embedding_weight_bytes", 1000),
                Map.entry("tidestream_head_transposed_weight_bytes", 4000),
                Map.entry("tidestream_head_total_bytes", 5000),
                Map.entry("tidestream_head_optimization_overhead_bytes", 4000),
                Map.entry("tidestream_websocket_connections{channel=\"stream\"}", 4),
                Map.entry("tidestream_websocket_connections{channel=\"admin\"}", 1),
                Map.entry("tidestream_http_connections{state=\"pending\"}", 6),
                Map.entry("tidestream_http_connections{state=\"idle\"}", 7),
                Map.entry("tidestream_websocket_assembly_bytes", 8000),
                Map.entry("tidestream_websocket_assembly_limit_bytes", 9000),
                Map.entry("tidestream_websocket_input_pauses_total", 10),
                Map.entry("tidestream_transport_refusals_total{reason=\"request_timeout\"}", 11),
                Map.entry("tidestream_transport_refusals_total{reason=\"foreign_origin\"}", 0))
                .forEach((name, value) -> assertEquals(value.doubleValue(), page.value(name), name));
        assertEquals("counter", page.types().get("tidestream_engine_steps_total"));
        assertEquals("gauge", page.types().get("tidestream_engine_kv_used_bytes"));
        sample.set(new MetricsSample(
                SAMPLE.engine(), new MetricsSample.Head(HeadMode.PACKED, true, 1000, 0, 1000, 0), SAMPLE.epochs(), TRANSPORT));
        assertEquals(1, page().value("tidestream_head_int8_activations"));
    }

    @Test
    void shouldForgetVersionsThatAreFreed() {
        page();
        sample.set(new MetricsSample(SAMPLE.engine(), null, List.of(epoch(8, HeadMode.PACKED, 1)), TRANSPORT));
        PrometheusPage page = page();
        assertEquals(List.of(epochBytes(8, "packed")), epochSeries(page));
        assertFalse(page.types().containsKey("tidestream_head_mode"), "no tied head, no mode");
        sample.set(new MetricsSample(SAMPLE.engine(), null, List.of(), TRANSPORT));
        assertEquals(0, page().value("tidestream_epochs_alive"));
    }

    /** A change of mode under a running stream makes a second epoch of the version, and the change back a third. */
    @Test
    void shouldCountEpochsOfTheSameVersion() {
        sample.set(new MetricsSample(SAMPLE.engine(), SAMPLE.head(), List.of(
                epoch(7, HeadMode.PACKED, 900), epoch(7, HeadMode.CACHED_TRANSPOSE, 1300), epoch(7, HeadMode.PACKED, 910)),
                TRANSPORT));
        PrometheusPage page = page();
        assertEquals(3, page.value("tidestream_epochs_alive"));
        assertEquals(910, page.value(epochBytes(7, "packed")));
        assertEquals(1300, page.value(epochBytes(7, "cached-transpose")));
        assertEquals(2, epochSeries(page).size());
        sample.set(new MetricsSample(SAMPLE.engine(), SAMPLE.head(), List.of(epoch(7, HeadMode.PACKED, 910)), TRANSPORT));
        page = page();
        assertEquals(1, page.value("tidestream_epochs_alive"));
        assertEquals(List.of(epochBytes(7, "packed")), epochSeries(page));
    }

    @Test
    void shouldShowHeadTimingsByMode() {
        for (int i = 0; i < 99; i++) {
            head.logitsComputed(HeadMode.PACKED, 1, 4_000_000, 100_000);
        }
        head.logitsComputed(HeadMode.PACKED, 8, 4_000_000, 900_000);
        head.logitsComputed(HeadMode.PACKED, 8, 4_000_000, 900_000);
        PrometheusPage page = page();
        assertEquals("summary", page.types().get("tidestream_head_logits_seconds"));
        assertEquals(101, page.value("tidestream_head_logits_seconds_count{mode=\"packed\"}"));
        assertEquals(0.0117, page.value("tidestream_head_logits_seconds_sum{mode=\"packed\"}"), 1e-12);
        assertEquals(100e-6, page.value("tidestream_head_logits_seconds{mode=\"packed\",quantile=\"0.5\"}"), 1e-6);
        assertEquals(900e-6, page.value("tidestream_head_logits_seconds{mode=\"packed\",quantile=\"0.99\"}"), 9e-6);
        assertEquals(100e-6, page.value("tidestream_head_logits_single_row_seconds{mode=\"packed\",quantile=\"0.99\"}"), 1e-6);
        assertEquals(99, page.value("tidestream_head_logits_single_row_seconds_count{mode=\"packed\"}"));
        assertEquals(115, page.value("tidestream_head_rows_total{mode=\"packed\"}"));
        assertEquals(404_000_000, page.value("tidestream_head_read_bytes_total{mode=\"packed\"}"));
        assertEquals(404e6 / 0.0117, page.value("tidestream_head_read_bytes_per_second{mode=\"packed\"}"), 1);
        assertEquals(0, page.value("tidestream_head_logits_seconds_count{mode=\"transpose-per-step\"}"));
        assertEquals(0, page.value("tidestream_head_read_bytes_per_second{mode=\"transpose-per-step\"}"));
        assertFalse(page.samples().containsKey("tidestream_head_logits_seconds{mode=\"transpose-per-step\",quantile=\"0.5\"}"));
    }

    @Test
    void shouldShowStreamTimingsAsHistograms() {
        streams.firstToken(30_000_000);
        streams.nextToken(12_000_000);
        streams.nextToken(20_000_000_000L);
        PrometheusPage page = page();
        assertEquals("histogram", page.types().get("tidestream_stream_first_token_seconds"));
        assertEquals(0, page.value("tidestream_stream_first_token_seconds_bucket{le=\"0.025\"}"));
        assertEquals(1, page.value("tidestream_stream_first_token_seconds_bucket{le=\"0.05\"}"));
        assertEquals(0.03, page.value("tidestream_stream_first_token_seconds_sum"));
        assertEquals(1, page.value("tidestream_stream_next_token_seconds_bucket{le=\"10.0\"}"));
        assertEquals(2, page.value("tidestream_stream_next_token_seconds_bucket{le=\"+Inf\"}"));
        assertEquals(2, page.value("tidestream_stream_next_token_seconds_count"));
    }

    @Test
    void shouldShowEndsOfStreamsAndStepsByPhase() {
        streams.ended("length", 4, 300);
        streams.ended("credit_timeout", 4, 300);
        streams.ended("length", 4, 300);
        streams.stepped(StreamTimings.Phase.MIXED, 6_000_000);
        PrometheusPage page = page();
        assertEquals(2, page.value("tidestream_streams_ended_total{outcome=\"length\"}"));
        assertEquals(1, page.value("tidestream_streams_ended_total{outcome=\"credit_timeout\"}"));
        assertEquals(3, page.value("tidestream_stream_queue_seconds_bucket{le=\"0.005\"}"));
        assertEquals(3, page.value("gen_ai_server_request_duration_seconds_bucket{le=\"0.32\"}"));
        assertEquals(1, page.value("tidestream_engine_step_seconds_bucket{phase=\"mixed\",le=\"0.01\"}"));
        assertEquals(0, page.value("tidestream_engine_step_seconds_count{phase=\"decode\"}"));
        assertEquals("gauge", page.types().get("tidestream_engine_kv_usage_ratio"));
    }

    @Test
    void shouldCountUpdatesAndToggles() {
        assertEquals(0, page().value("tidestream_weights_updates_committed_total"));
        assertEquals(0, page().value("tidestream_head_mode_changes_total{mode=\"packed\"}"));
        metrics.updateCommitted();
        metrics.updateCommitted();
        metrics.rolledBack();
        metrics.updateRefused("stale_base_version");
        metrics.updateRefused("stale_base_version");
        metrics.updateRefused("non_finite");
        metrics.modeChanged(HeadMode.PACKED);
        metrics.modeChangeRefused("budget_exceeded");
        PrometheusPage page = page();
        assertEquals(2, page.value("tidestream_weights_updates_committed_total"));
        assertEquals(1, page.value("tidestream_weights_rollbacks_total"));
        assertEquals(2, page.value("tidestream_weights_updates_refused_total{code=\"stale_base_version\"}"));
        assertEquals(1, page.value("tidestream_weights_updates_refused_total{code=\"non_finite\"}"));
        assertEquals(1, page.value("tidestream_head_mode_changes_total{mode=\"packed\"}"));
        assertEquals(0, page.value("tidestream_head_mode_changes_total{mode=\"cached-transpose\"}"));
        assertEquals(1, page.value("tidestream_head_mode_changes_refused_total{code=\"budget_exceeded\"}"));
    }

    @Test
    void shouldShowTheJvm() {
        System.gc();
        PrometheusPage page = page();
        assertTrue(page.samples().keySet().stream().anyMatch(name -> name.startsWith("jvm_memory_used_bytes{area=\"heap\"")),
                () -> page.samples().keySet().toString());
        assertTrue(page.value("jvm_threads_live_threads") > 0);
        assertTrue(page.types().keySet().stream().anyMatch(name -> name.startsWith("jvm_gc_")));
    }

    @Test
    void shouldCountWhoWasNotLetIn() {
        metrics.expectTokenRefusals(List.of("wrong", "missing"));
        metrics.tokenRefused("wrong");
        metrics.tokenRefused("wrong");
        assertEquals(2, page().value("tidestream_admin_token_refusals_total{reason=\"wrong\"}"));
        assertEquals(0, page().value("tidestream_admin_token_refusals_total{reason=\"missing\"}"));
    }

    @Test
    void shouldKeepServersApart() {
        metrics.updateCommitted();
        try (Metrics other = new Metrics(sample::get, new HeadTimings(), new StreamTimings())) {
            assertEquals(0, PrometheusPage.parse(other.scrape()).value("tidestream_weights_updates_committed_total"));
        }
    }

    @Test
    void shouldLetTheSamplersFaultThrough() {
        RuntimeException fault = new IllegalStateException("engine is gone");
        try (Metrics broken = new Metrics(() -> {
            throw fault;
        }, head, streams)) {
            assertEquals("engine is gone", assertThrows(IllegalStateException.class, broken::scrape).getMessage());
        }
    }

    @Test
    void shouldBeReadWhileOthersCount() throws Exception {
        AtomicBoolean counted = new AtomicBoolean();
        try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
            Future<?> reader = pool.submit(() -> {
                double last = 0;
                while (!counted.get()) {
                    double now = page().value("tidestream_head_logits_seconds_count{mode=\"packed\"}");
                    assertTrue(now >= last, now + " after " + last);
                    last = now;
                }
            });
            for (int i = 0; i < 200_000; i++) {
                head.logitsComputed(HeadMode.PACKED, 1, 8, i);
                streams.nextToken(i);
                metrics.updateRefused("code_" + i % 3);
            }
            counted.set(true);
            reader.get();
        }
        PrometheusPage page = page();
        assertEquals(200_000, page.value("tidestream_head_logits_seconds_count{mode=\"packed\"}"));
        assertEquals(200_000, page.value("tidestream_stream_next_token_seconds_count"));
        assertEquals(66_667, page.value("tidestream_weights_updates_refused_total{code=\"code_0\"}"));
    }

    @Test
    void shouldSayWhatTheServerIs() {
        metrics.describe(Map.of("version", "1.2", "threads", "4"), 256 << 20, 128 << 20);
        Map<String, Double> samples = page().samples();
        assertEquals(1, samples.get("tidestream_server_info{threads=\"4\",version=\"1.2\"}"), samples.toString());
        assertEquals(256 << 20, samples.get("tidestream_jvm_heap_max_bytes"), samples.toString());
        assertEquals(128 << 20, samples.get("tidestream_jvm_direct_max_bytes"), samples.toString());
    }
}

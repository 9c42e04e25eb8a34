package dev.tidestream.server.cli;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.server.cli.admin.AdminClient;
import dev.tidestream.server.metrics.PrometheusPage;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The figures of a real server, as administrators and Prometheus see them, before and after a change of the head's mode. */
class ServerFiguresIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final double TIME_PRECISION = 1e-9;
    private static final double MICROS_PER_SECOND = 1e6;
    private static final double BYTES_PER_GIGABYTE = 1e9;
    /** So that no stream happens to end before its last token. */
    private static final String GREEDY = ",\"sampling\":{\"temperature\":0}";
    private static final String PACKED = "packed";
    private static final String CACHED = "cached-transpose";
    /** V H of the embedded model. */
    private static final long ELEMENTS = 4096 * 256;
    /** 32 codes of a byte and a scale of two. */
    private static final long Q8_0_BYTES = ELEMENTS / 32 * 34;
    private static final long F32_BYTES = ELEMENTS * Float.BYTES;

    @TempDir
    Path temp;

    @SuppressWarnings("NullAway.Init") // before each test
    private StartedServer server;

    @SuppressWarnings("NullAway.Init") // before each test
    private AdminClient admin;

    private int requests;

    @BeforeEach
    void serve() throws Exception {
        server = new StartedServer(temp);
        admin = server.admin();
    }

    @AfterEach
    void stop() {
        admin.close();
        server.close();
    }

    /** What both say at a moment when no step is made. */
    private record Figures(Map<String, Object> stats, PrometheusPage page) {
        double stat(String... path) {
            Object value = object(path);
            assertTrue(value instanceof Number, String.join(".", path) + ": " + value);
            return ((Number) value).doubleValue();
        }

        Object object(String... path) {
            Object value = stats;
            for (String name : path) {
                value = ((Map<?, ?>) value).get(name);
                assertTrue(value != null, String.join(".", path) + " is missing: " + stats);
            }
            return value;
        }

        double metric(String name) {
            return page.value("tidestream_" + name);
        }

        /** Of a mode. */
        double metric(String name, String mode) {
            return metric("%s{mode=\"%s\"}".formatted(name, mode));
        }
    }

    @Test
    void shouldAgreeWithTheModelAndWithEachOther() throws Exception {
        long bytes = server.running().first().bytes();
        try (TestClient client = new TestClient(server.port())) {
            client.generate("first", "Once upon a time", 40, GREEDY).untilFinished("first");
            Figures packed = figures(0);
            checkHead(packed, PACKED, Q8_0_BYTES, 0, 0);
            checkTimes(packed, PACKED, 40, Q8_0_BYTES);
            checkUnused(packed, CACHED);
            checkEpochs(packed, Map.of(PACKED, bytes));

            client.generate("pinned", "Once upon a time", 30, GREEDY + ",\"credit\":1").until(ServerMessage.Token.class::isInstance);
            admin.call(new AdminRequest.OptimizationSet(ref(), OptimizationMode.CACHED_TRANSPOSE, true), progress -> {});
            client.generate("second", "Once upon a time", 20, GREEDY).untilFinished("second");
            Figures both = figures(1);
            checkHead(both, CACHED, Q8_0_BYTES, F32_BYTES, F32_BYTES);
            checkTimes(both, PACKED, 41, Q8_0_BYTES);
            checkTimes(both, CACHED, 20, F32_BYTES);
            checkEpochs(both, Map.of(PACKED, bytes, CACHED, bytes + F32_BYTES));
            assertEquals(1, both.metric("head_mode_changes_total", CACHED));

            client.credit("pinned", 30).untilFinished("pinned");
            assertTrue(server.running().epochs().awaitFewerThan(2, PATIENCE));
            Figures cached = figures(0);
            checkTimes(cached, PACKED, 70, Q8_0_BYTES);
            checkEpochs(cached, Map.of(CACHED, bytes + F32_BYTES));
            checkUnused(cached, "transpose-per-step");
        }
    }

    /** As of the end of a step after which none runs, and so many are there yet, which are those that have no credit. */
    private Figures figures(int parked) throws Exception {
        long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            AdminReply.Ack ack = admin.call(new AdminRequest.Stats(ref()), progress -> {});
            Figures figures = new Figures(ack.details(), page());
            if (figures.stat("engine", "running") == 0 && figures.stat("engine", "parked") == parked) {
                assertEquals(1, ack.weightsVersion());
                assertEquals(1, figures.metric("weights_version"));
                return figures;
            }
            assertTrue(System.nanoTime() < deadlineNs, "streams do not end: " + ack);
        }
    }

    private PrometheusPage page() throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:%d/metrics".formatted(server.port()));
            HttpResponse<String> response =
                    http.send(HttpRequest.newBuilder(uri).timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
            assertEquals(200, response.statusCode());
            return PrometheusPage.parse(response.body());
        }
    }

    private String ref() {
        return "r" + requests++;
    }

    private static void checkHead(Figures figures, String mode, long embeddingBytes, long transposedBytes, long overheadBytes) {
        assertEquals(mode, figures.object("optimization", "mode"));
        assertEquals(1, figures.metric("head_mode", mode));
        checkBoth(figures, embeddingBytes, "embedding_weight_bytes", "head_embedding_weight_bytes");
        checkBoth(figures, transposedBytes, "transposed_weight_bytes", "head_transposed_weight_bytes");
        checkBoth(figures, embeddingBytes + transposedBytes, "total_bytes", "head_total_bytes");
        checkBoth(figures, overheadBytes, "optimization_overhead", "head_optimization_overhead_bytes");
    }

    private static void checkBoth(Figures figures, long expected, String stat, String metric) {
        assertEquals((double) expected, figures.stat("optimization", stat), stat);
        assertEquals((double) expected, figures.metric(metric), metric);
    }

    /** Every call was for one row, since no two streams had credit at the same time. */
    private static void checkTimes(Figures figures, String mode, int calls, long bytesPerCall) {
        assertEquals(calls, figures.stat("logits", mode, "rows"));
        assertEquals(calls, figures.metric("head_rows_total", mode));
        assertEquals((double) calls * bytesPerCall, figures.metric("head_read_bytes_total", mode));
        checkLatency(figures, mode, calls, "all_calls", "head_logits_seconds");
        checkLatency(figures, mode, calls, "single_row", "head_logits_single_row_seconds");
        double seconds = figures.metric("head_logits_seconds_sum", mode);
        double bytesPerSecond = figures.metric("head_read_bytes_per_second", mode);
        assertNear(calls * bytesPerCall / seconds, bytesPerSecond, mode);
        assertNear(bytesPerSecond, figures.stat("logits", mode, "gb_per_s") * BYTES_PER_GIGABYTE, mode);
    }

    private static void checkLatency(Figures figures, String mode, int calls, String stat, String metric) {
        assertEquals(calls, figures.stat("logits", mode, stat, "calls"));
        assertEquals(calls, figures.metric(metric + "_count", mode));
        double p50 = figures.stat("logits", mode, stat, "us_p50");
        double p99 = figures.stat("logits", mode, stat, "us_p99");
        assertTrue(p50 > 0 && p50 <= p99, "p50=" + p50 + ", p99=" + p99);
        String quantile = metric + "{mode=\"%s\",quantile=\"%s\"}";
        assertNear(p50, figures.metric(quantile.formatted(mode, "0.5")) * MICROS_PER_SECOND, mode);
        assertNear(p99, figures.metric(quantile.formatted(mode, "0.99")) * MICROS_PER_SECOND, mode);
        double sum = figures.metric(metric + "_sum", mode) * MICROS_PER_SECOND;
        assertTrue(sum > p50 * calls / 2 * 0.98, "half of the calls took at least p50=" + p50 + " µs, all of them " + sum);
        assertEquals(List.of("calls", "us_p50", "us_p99"), List.copyOf(((Map<?, ?>) figures.object("logits", mode, stat)).keySet()));
    }

    private static void checkUnused(Figures figures, String mode) {
        assertEquals(0, figures.metric("head_logits_seconds_count", mode));
        assertTrue(!((Map<?, ?>) figures.object("logits")).containsKey(mode), mode);
    }

    /** @param expected bytes of the live epochs by the modes of their heads */
    private static void checkEpochs(Figures figures, Map<String, Long> expected) {
        List<?> live = (List<?>) figures.object("weights", "live_versions");
        assertEquals(expected.size(), live.size(), live.toString());
        assertEquals(expected.size(), figures.metric("epochs_alive"));
        for (Object epoch : live) {
            Map<?, ?> fields = (Map<?, ?>) epoch;
            assertEquals(1L, fields.get("weights_version"));
            assertEquals(expected.get(fields.get("mode")), fields.get("bytes"), fields.toString());
        }
        long series = figures.page.samples().keySet().stream().filter(name -> name.startsWith("tidestream_epoch_bytes")).count();
        assertEquals(expected.size(), series);
        expected.forEach((mode, bytes) -> assertEquals(
                bytes.doubleValue(), figures.metric("epoch_bytes{mode=\"%s\",weights_version=\"1\"}".formatted(mode))));
        assertEquals(expected.keySet(), modes(live));
    }

    private static Set<String> modes(List<?> live) {
        return Set.copyOf(live.stream().map(epoch -> (String) ((Map<?, ?>) epoch).get("mode")).toList());
    }

    private static void assertNear(double expected, double actual, String what) {
        assertEquals(expected, actual, expected * TIME_PRECISION, what);
    }
}

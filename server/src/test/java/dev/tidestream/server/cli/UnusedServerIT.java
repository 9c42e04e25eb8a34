package dev.tidestream.server.cli;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.server.LoggedLines;
import dev.tidestream.server.cli.admin.AdminClient;
import dev.tidestream.server.metrics.PrometheusPage;
import dev.tidestream.server.transport.TestClient;
import dev.tidestream.server.warmup.BackgroundWarmUp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What a server has done for nobody (warm-up of kernels, streams and updates) is no traffic: it is counted nowhere. */
class UnusedServerIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    Path temp;

    @Test
    void shouldShowNoTrafficUntilThereIsSome() throws Exception {
        try (LoggedLines warmUp = new LoggedLines(BackgroundWarmUp.class.getName());
                StartedServer server = new StartedServer(temp);
                AdminClient admin = server.admin()) {
            server.serving.warmUp();
            await(warmUp);
            assertEquals(Set.of(), used(page(server)));
            Map<?, ?> engine = report(admin, new AdminRequest.Stats("s"), "engine");
            for (String count : List.of("running", "queued", "kv_used_bytes", "steps", "rows", "tokens_generated")) {
                assertEquals("0", String.valueOf(engine.get(count)), count);
            }
            Map<?, ?> verification =
                    report(admin, new AdminRequest.OptimizationSet("m", OptimizationMode.CACHED_TRANSPOSE, true), "verification");
            assertEquals("false", String.valueOf(verification.get("recorded")), "a warm-up's hidden states are no stream's");

            try (TestClient client = new TestClient(server.port())) {
                client.generate("first", "Once upon a time", 5, "").untilFinished("first");
            }
            awaitCounted(server, "tidestream_engine_generated_tokens_total 5.0");
        }
    }

    /** A part of an answer. */
    private static Map<?, ?> report(AdminClient admin, AdminRequest request, String part) throws Exception {
        Object report = admin.call(request, progress -> {}).details().get(part);
        assertTrue(report instanceof Map<?, ?>, part + ": " + report);
        return (Map<?, ?>) report;
    }

    private static void await(LoggedLines warmUp) {
        long startNs = System.nanoTime();
        while (warmUp.lines().stream().noneMatch(line -> line.startsWith("INFO warm-up done: "))) {
            assertTrue(System.nanoTime() - startNs < PATIENCE.toNanos(), warmUp.lines().toString());
            Thread.onSpinWait();
        }
    }

    /** The step that makes a stream's last token is counted after the token. */
    private static void awaitCounted(StartedServer server, String sample) throws Exception {
        long startNs = System.nanoTime();
        while (!used(page(server)).contains(sample)) {
            assertTrue(System.nanoTime() - startNs < PATIENCE.toNanos(), used(page(server)).toString());
        }
    }

    private static String page(StartedServer server) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:%d/metrics".formatted(server.port()));
            return http.send(HttpRequest.newBuilder(uri).timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString()).body();
        }
    }

    /** Samples of our own that are not 0 and count something, or tell of streams. */
    private static Set<String> used(String text) {
        PrometheusPage page = PrometheusPage.parse(text);
        Set<String> counting = new HashSet<>(Set.of("tidestream_engine_running_streams", "tidestream_engine_queued_streams",
                "tidestream_engine_kv_used_bytes"));
        page.types().forEach((family, type) -> {
            if (family.startsWith("tidestream_") && !type.equals("gauge")) {
                counting.add(family);
            }
        });
        assertTrue(counting.size() > 12, counting.toString());
        Set<String> used = new HashSet<>();
        page.samples().forEach((name, value) -> {
            if (value != 0 && counting.stream().anyMatch(name::startsWith)) {
                used.add(name + " " + value);
            }
        });
        return used;
    }
}

package dev.tidestream.loadtest;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Latency;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * The tool's own numbers, against a server that knows when it sent what. Delays are tens of milliseconds, so a busy machine is
 * no fault.
 */
class MeasurementTest {
    private static final long MS = 1_000_000;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path directory;

    private Figures run(ScriptedServer server, String... args) throws Exception {
        return Runs.good(server, directory, args).steps().getFirst().figures();
    }

    /** Three tries: on a busy machine a request may be long on its way, but a tool that is wrong is wrong each time. */
    @Test
    void shouldMeasureTheDelaysThatTheServerMade() throws Exception {
        SplittableRandom random = new SplittableRandom(20261124);
        Map<String, Long> arrivedNs = new ConcurrentHashMap<>();
        try (ScriptedServer server = new ScriptedServer((request, _) -> {
            arrivedNs.put(request.id(), System.nanoTime());
            synchronized (random) {
                return ScriptedServer.stream(
                        request.id(), 12, random.nextLong(60 * MS, 200 * MS), random.nextLong(30 * MS, 80 * MS));
            }
        })) {
            List<String> differences = List.of("not measured");
            for (int tries = 0; tries < 3 && !differences.isEmpty(); tries++) {
                arrivedNs.clear();
                server.sentNs().clear();
                differences = differences(server, arrivedNs);
            }
            assertEquals(List.of(), differences);
        }
    }

    private List<String> differences(ScriptedServer server, Map<String, Long> arrivedNs) throws Exception {
        Figures figures = run(server, "--concurrency", "12", "--streams-per-connection", "3", "--requests", "36",
                "--output-tokens", "12");
        List<Double> ttft = new ArrayList<>();
        List<Double> itl = new ArrayList<>();
        server.sentNs().forEach((id, sent) -> {
            ttft.add((sent.getFirst() - arrivedNs.getOrDefault(id, 0L)) / 1e6);
            for (int i = 1; i < sent.size(); i++) {
                itl.add((sent.get(i) - sent.get(i - 1)) / 1e6);
            }
        });
        assertEquals(36, ttft.size());
        assertEquals(36, figures.finished());
        assertEquals(36 * 12, figures.tokens());
        List<String> all = new ArrayList<>(compare("ttft", ttft, figures.ttft()));
        all.addAll(compare("itl", itl, figures.itl()));
        return all;
    }

    /** Where they differ by more than 2 % and 1 ms. */
    private static List<String> compare(String name, List<Double> expected, Latency measured) {
        List<Double> sorted = expected.stream().sorted().toList();
        assertEquals(sorted.size(), measured.count(), name);
        List<String> differences = new ArrayList<>();
        Map<Double, Double> percentiles = Map.of(50.0, measured.p50(), 90.0, measured.p90(), 95.0, measured.p95(),
                99.0, measured.p99(), 99.9, measured.p999(), 100.0, measured.max());
        percentiles.forEach((percentile, ms) -> {
            double right = sorted.get((int) Math.ceil(sorted.size() * percentile / 100) - 1);
            if (Math.abs(right - ms) > Math.max(1, 0.02 * right)) {
                differences.add("%s at p%.1f: server=%.3f ms, measured=%.3f ms".formatted(name, percentile, right, ms));
            }
        });
        return differences;
    }

    @Test
    void shouldShowAStallOfTheServerInTheOpenLoopsPercentiles() throws Exception {
        List<ScriptedServer> holder = new ArrayList<>();
        try (ScriptedServer server = new ScriptedServer((request, number) -> {
            if (number == 40) {
                holder.getFirst().stall(1000 * MS);
            }
            return ScriptedServer.stream(request.id(), 1, 5 * MS, 0);
        })) {
            holder.add(server);
            Figures figures = run(server, "--rate", "40", "--arrivals", "constant", "--duration", "3s", "--output-tokens", "1");
            // A third of the requests came in during the stall: their waits are spread evenly between 0 and 1 s.
            assertTrue(figures.ttft().p99() > 900, figures.ttft().toString());
            assertTrue(figures.ttft().p90() > 500, figures.ttft().toString());
        }
    }

    @Test
    void shouldCountFromTheIntendedStartWhenTheClientHadToWaitForRoom() throws Exception {
        List<ScriptedServer> holder = new ArrayList<>();
        try (ScriptedServer server = new ScriptedServer((request, number) -> {
            if (number == 40) {
                holder.getFirst().stall(1000 * MS);
            }
            return ScriptedServer.stream(request.id(), 1, 1 * MS, 0);
        })) {
            holder.add(server);
            // One stream at a time: during the stall one request is on its way, forty wait at the client.
            Figures figures = run(server, "--rate", "40", "--arrivals", "constant", "--duration", "3s", "--output-tokens", "1",
                    "--streams-per-connection", "1", "--max-connections", "1");
            assertTrue(figures.ttft().p99() > 900, figures.ttft().toString());
            assertTrue(figures.ttft().p90() > 500, figures.ttft().toString());
            assertTrue(figures.client().bottleneck(), "late: " + figures.lateness());
        }
    }
}

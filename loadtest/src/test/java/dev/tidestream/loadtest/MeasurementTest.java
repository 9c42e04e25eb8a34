package dev.tidestream.loadtest;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
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

/** The tool's own numbers, against a server that knows when it sent what. */
class MeasurementTest {
    private static final long MS = 1_000_000;
    private static final int USERS = 12;
    private static final int REQUESTS = 36;
    private static final int TOKENS = 12;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path directory;

    private Figures run(ScriptedServer server, String... args) throws Exception {
        return Runs.good(server, directory, args).steps().getFirst().figures();
    }

    /**
     * What the server sees of each token bounds what the tool may say of it: a token is read after it was sent and before the
     * credit comes that is granted for it; a request begins after the end that made room for it and before it arrives. However
     * busy the machine is, these come in this order, so each percentile lies between those of the bounds; on a quiet one they are
     * close.
     */
    @Test
    void shouldMeasureTheDelaysThatTheServerMade() throws Exception {
        SplittableRandom random = new SplittableRandom(20261124);
        Map<String, Long> arrivedNs = new ConcurrentHashMap<>();
        try (ScriptedServer server = new ScriptedServer((request, _) -> {
            arrivedNs.put(request.id(), System.nanoTime());
            synchronized (random) {
                return ScriptedServer.stream(
                        request.id(), TOKENS, random.nextLong(60 * MS, 200 * MS), random.nextLong(30 * MS, 80 * MS));
            }
        }, true)) {
            Figures figures = run(server, "--concurrency", String.valueOf(USERS), "--streams-per-connection", "3",
                    "--requests", String.valueOf(REQUESTS), "--output-tokens", String.valueOf(TOKENS),
                    "--credit", "stop-and-go:1,0ms");
            List<Long> endsNs = server.finishedNs().values().stream().sorted().toList();
            Bounds ttft = new Bounds();
            Bounds itl = new Bounds();
            for (int number = 0; number < REQUESTS; number++) {
                String id = "s" + number;
                List<Long> sent = server.sentNs().getOrDefault(id, List.of());
                List<Long> read = server.creditNs().getOrDefault(id, List.of());
                assertEquals(TOKENS, sent.size(), id);
                assertEquals(TOKENS, read.size(), id);
                long roomNs = number < USERS ? server.connectedNs() : endsNs.get(number - USERS);
                ttft.add(sent.getFirst() - arrivedNs.getOrDefault(id, 0L), read.getFirst() - roomNs);
                for (int i = 1; i < TOKENS; i++) {
                    itl.add(sent.get(i) - read.get(i - 1), read.get(i) - sent.get(i - 1));
                }
            }
            assertEquals(REQUESTS, figures.finished());
            assertEquals(REQUESTS * TOKENS, figures.tokens());
            ttft.assertHold("ttft", figures.ttft());
            itl.assertHold("itl", figures.itl());
        }
    }

    /** Between which times each of some latencies was, in ms. */
    private static final class Bounds {
        private static final double PRECISION = 0.002; // twice that of the histogram
        private final List<Double> least = new ArrayList<>();
        private final List<Double> most = new ArrayList<>();

        void add(long leastNs, long mostNs) {
            least.add(leastNs / 1e6);
            most.add(mostNs / 1e6);
        }

        void assertHold(String name, Latency measured) {
            assertEquals(least.size(), measured.count(), name);
            Collections.sort(least);
            Collections.sort(most);
            Map.of(50.0, measured.p50(), 90.0, measured.p90(), 95.0, measured.p95(), 99.0, measured.p99(),
                    99.9, measured.p999(), 100.0, measured.max()).forEach((percentile, ms) -> {
                        int rank = (int) Math.ceil(least.size() * percentile / 100) - 1;
                        double low = least.get(rank) * (1 - PRECISION);
                        double high = most.get(rank) * (1 + PRECISION);
                        assertTrue(low <= ms && ms <= high, "%s at p%.1f: server saw %.3f to %.3f ms, measured=%.3f ms"
                                .formatted(name, percentile, low, high, ms));
                    });
        }
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

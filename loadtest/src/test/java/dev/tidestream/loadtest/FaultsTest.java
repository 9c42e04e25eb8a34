package dev.tidestream.loadtest;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Mark;
import dev.tidestream.loadtest.report.RunReport;
import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What our own misbehaving clients do, and that nobody is blamed for it. */
class FaultsTest {
    private static final long MS = 1_000_000;
    private static final int TOKENS = 8;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path directory;

    private RunReport run(ScriptedServer server, String... args) throws Exception {
        String[] all = Stream.concat(Stream.of("--output-tokens", String.valueOf(TOKENS)), Stream.of(args))
                .toArray(String[]::new);
        return Runs.any(server, directory, all);
    }

    @Test
    void shouldBreakConnectionsOffAndComeBack() throws Exception {
        // Gaps that are long: what has come already when a client vanishes in the middle is no more than that middle.
        try (ScriptedServer server = new ScriptedServer((request, _) -> ScriptedServer.stream(request.id(), TOKENS, MS,
                50 * MS))) {
            RunReport report = run(server, "--requests", "12", "--concurrency", "2", "--streams-per-connection", "1", "--faults",
                    "vanish=0.5");
            Figures figures = report.steps().getFirst().figures();
            assertEquals(12, figures.requests());
            assertEquals(12, figures.finished() + figures.vanished(), figures.toString());
            assertTrue(figures.vanished() > 0, figures.toString());
            assertEquals(0, report.breaches(), report.evidence().toString());
            assertEquals(figures.vanished(), report.steps().getFirst().marks().stream().filter(m -> m.what()
                    .startsWith("vanish")).count());
        }
    }

    @Test
    void shouldCancelInTheMiddle() throws Exception {
        // A server that ends a stream with "cancelled" after the fourth token, which is where all these cancels are sent by then.
        try (ScriptedServer server = new ScriptedServer((request, _) -> {
            List<ScriptedServer.Reply> replies = ScriptedServer.stream(request.id(), 4, MS, 5 * MS);
            replies.removeLast();
            replies.add(new ScriptedServer.Reply(50 * MS, new ServerMessage.Finished(request.id(), FinishReason.CANCELLED,
                    new Usage(3, 4), new Timing(0, 1, 2, 3))));
            return replies;
        })) {
            RunReport report = run(server, "--requests", "4", "--faults", "cancel=1");
            assertEquals(4, report.steps().getFirst().figures().cancelled());
            assertEquals(0, report.breaches(), report.evidence().toString());
            server.await(received -> received.stream().filter(m -> m instanceof ClientMessage.Cancel).count() == 4);
        }
    }

    @Test
    void shouldStopReadingAndReadOn() throws Exception {
        try (ScriptedServer server = new ScriptedServer((request, _) -> ScriptedServer.stream(request.id(), TOKENS, MS,
                200 * MS))) { // the pause falls into the stream, however late a token is read
            RunReport report = run(server, "--requests", "1", "--faults", "slow=1");
            RunReport.Step step = report.steps().getFirst();
            assertEquals(1, step.figures().finished());
            assertEquals(0, report.breaches(), report.evidence().toString());
            assertTrue(step.samples().stream().anyMatch(s -> s.slowItlMs() > 900), step.samples().toString());
            assertTrue(step.samples().stream().allMatch(s -> s.itlMs() < 900), step.samples().toString());
            assertTrue(step.figures().itl().count() < TOKENS / 2,
                    "the tool's own pause was taken for the server's: " + step.figures().itl());
        }
    }

    /** Eight streams would share two connections; whoever stops reading must not stop the others. */
    @Test
    void shouldReadSlowlyOnConnectionsOfTheirOwn() throws Exception {
        try (ScriptedServer server = new ScriptedServer((request, _) -> ScriptedServer.stream(request.id(), TOKENS, MS,
                40 * MS))) {
            RunReport report = Runs.good(server, directory, "--output-tokens", String.valueOf(TOKENS), "--requests", "40",
                    "--concurrency", "8", "--streams-per-connection", "4", "--faults", "slow=0.2");
            RunReport.Step step = report.steps().getFirst();
            List<String> slow = step.marks().stream().map(Mark::what).filter(what -> what.startsWith("slow reader")).toList();
            assertTrue(slow.size() > 3, slow.toString());
            assertEquals(40, step.figures().finished());
            assertEquals(40 - slow.size(), step.figures().e2e().count(), "nobody else was slowed: " + slow);
            assertTrue(step.figures().itl().max() < 900, "a gap that the tool itself made: " + step.figures().itl());
        }
    }

    @Test
    void shouldReadSlowlyThoughNoOtherConnectionIsAllowed() throws Exception {
        try (ScriptedServer server = new ScriptedServer((request, _) -> ScriptedServer.stream(request.id(), 2, MS, MS))) {
            RunReport report = run(server, "--requests", "2", "--rate", "20", "--max-connections", "1", "--faults", "slow=1");
            assertEquals(2, report.steps().getFirst().figures().finished());
        }
    }

    @Test
    void shouldGrantCreditByPolicy() throws Exception {
        try (ScriptedServer server = new ScriptedServer((request, _) -> {
            int granted = request.credit().orElseThrow();
            List<ScriptedServer.Reply> replies = ScriptedServer.stream(request.id(), TOKENS, MS, MS);
            return new ArrayList<>(replies.subList(0, 1 + granted)); // as many tokens as the first grant allows, then silence
        })) {
            RunReport report = run(server, "--requests", "1", "--credit", "stop-and-go:3,100ms", "--drain", "1500ms");
            server.await(received -> received.contains(new ClientMessage.Credit("s0", 3)));
            assertEquals(1, report.breaches(), report.evidence().toString());
        }
        try (ScriptedServer server = new ScriptedServer((request, _) ->
                new ArrayList<>(ScriptedServer.stream(request.id(), TOKENS, MS, MS).subList(0, 2)))) {
            run(server, "--requests", "1", "--credit", "paced:20", "--drain", "1s");
            server.await(received -> received.stream().filter(m -> m instanceof ClientMessage.Credit)
                    .mapToInt(m -> ((ClientMessage.Credit) m).n()).sum() >= 10); // 20 per second for a second and more
        }
    }
}

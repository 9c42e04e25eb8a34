package dev.tidestream.loadtest;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.loadtest.figures.Stage;
import dev.tidestream.loadtest.report.RunReport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Ramps, steps, and the search for the highest load. */
class LoadChangesTest {
    private static final long MS = 1_000_000;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path directory;

    @Test
    void shouldStepTheRateWithinOneRun() throws Exception {
        try (ScriptedServer server = new ScriptedServer((request, _) -> ScriptedServer.stream(request.id(), 2, MS, MS))) {
            Path html = directory.resolve("steps.html");
            RunReport.Step step = Runs.good(server, directory,
                    "--rate", "steps:10,40,20", "--arrivals", "constant", "--warmup", "300ms",
                    "--duration", "3s", "--output-tokens", "2", "--report", html.toString()).steps().getFirst();
            List<Stage> stages = step.stages();
            assertEquals(List.of("10 req/s", "40 req/s", "20 req/s"), stages.stream().map(Stage::load).toList());
            for (Stage stage : stages) { // a request or two may fall into the neighbour
                assertEquals(stage.level(), (double) stage.figures().requests(), 2, stage.toString());
                assertEquals(stage.figures().requests(), stage.figures().finished());
                assertEquals(stage.figures().requests(), stage.figures().ttft().count());
                assertEquals(1, stage.figures().seconds(), 1e-6);
            }
            long inStages = stages.stream().mapToLong(s -> s.figures().requests()).sum();
            assertEquals((double) step.figures().requests(), (double) inStages, 1);
            assertEquals(40, step.level());
            assertTrue(Files.readString(html).contains("<figure id=\"stages0-ttft\">"), "no curve of the stages");
        }
    }

    /** 20 requests per second that take half a second each: about ten at a time, whoever is slow. */
    @Test
    void shouldNotWaitForEarlierRequestsInAnOpenLoop() throws Exception {
        List<ScriptedServer> holder = new ArrayList<>();
        AtomicInteger most = new AtomicInteger();
        try (ScriptedServer server = new ScriptedServer((request, _) -> {
            most.accumulateAndGet(holder.getFirst().running(), Math::max);
            return ScriptedServer.stream(request.id(), 1, 500 * MS, 0);
        })) {
            holder.add(server);
            Runs.good(server, directory, "--rate", "20", "--arrivals", "constant", "--duration", "1s", "--output-tokens", "1");
            assertTrue(most.get() >= 8, "most at a time: " + most);
        }
    }

    @Test
    void shouldRampTheStreamsOfAClosedLoop() throws Exception {
        try (ScriptedServer server = new ScriptedServer((request, _) ->
                ScriptedServer.stream(request.id(), 4, 50 * MS, 50 * MS))) { // long ones: it is not the machine that limits them
            RunReport.Step step = Runs.good(server, directory,
                    "--concurrency", "ramp:1-12", "--streams-per-connection", "4", "--warmup", "250ms",
                    "--duration", "4s", "--output-tokens", "4").steps().getFirst();
            assertEquals(8, step.stages().size());
            assertTrue(step.samples().stream().anyMatch(s -> s.running() >= 10), step.samples().toString());
            assertTrue(step.samples().stream().allMatch(s -> s.running() <= Math.round(s.level()) + 1),
                    step.samples().toString());
            long first = step.stages().subList(0, 4).stream().mapToLong(s -> s.figures().requests()).sum();
            long second = step.stages().subList(4, 8).stream().mapToLong(s -> s.figures().requests()).sum();
            assertTrue(second > first, "first half=" + first + ", second half=" + second);
        }
    }

    /** The first token takes 100 ms for each stream that runs, and with five of them two seconds; a second lies between. */
    @Test
    void shouldFindTheHighestLoadThatMeetsTheSlo() throws Exception {
        List<ScriptedServer> holder = new ArrayList<>();
        try (ScriptedServer server = new ScriptedServer((request, _) -> {
            int running = holder.getFirst().running();
            return ScriptedServer.stream(request.id(), 1, (100 * running + (running > 4 ? 1500 : 0)) * MS, 0);
        })) {
            holder.add(server);
            RunReport report = Runs.good(server, directory,
                    "--find-max", "--slo", "ttft=1400ms", "--warmup", "0s", "--requests", "8",
                    "--output-tokens", "1");
            assertEquals("the highest level that meets ttft=1400ms is 4 streams", report.note());
            assertEquals(List.of(1.0, 2.0, 4.0, 8.0, 6.0, 5.0), report.steps().stream().map(RunReport.Step::level).toList());
        }
    }
}

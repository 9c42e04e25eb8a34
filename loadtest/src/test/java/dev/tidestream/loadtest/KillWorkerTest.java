package dev.tidestream.loadtest;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.loadtest.ScriptedServer.Reply;
import dev.tidestream.loadtest.figures.Kills;
import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.figures.PromiseCount;
import dev.tidestream.loadtest.report.JsonReport;
import dev.tidestream.loadtest.report.RunReport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Workers that are killed while streams run, and servers whose clients see it. */
@DisabledOnOs(OS.WINDOWS)
class KillWorkerTest {
    private static final long MS = 1_000_000;
    private static final int TOKENS = 30;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path directory;

    private final StringWriter said = new StringWriter();

    private static Process worker() throws IOException {
        return new ProcessBuilder("sleep", "1000").start();
    }

    private int run(String... more) {
        List<String> all = new ArrayList<>(List.of("--warmup", "0s", "--requests", "6", "-c", "3", "--output-tokens",
                String.valueOf(TOKENS), "--out", directory.resolve("out.json").toString()));
        all.addAll(List.of(more));
        return Main.run(new PrintWriter(said), new PrintWriter(said), all.toArray(String[]::new));
    }

    private RunReport.Step step() throws IOException {
        return JsonReport.read(directory.resolve("out.json")).steps().getFirst();
    }

    private Kills kills() throws IOException {
        return Objects.requireNonNull(step().kills(), said::toString);
    }

    private static long checked(RunReport.Step step, Promise promise) {
        return step.promises().stream().filter(count -> count.promise() == promise).mapToLong(PromiseCount::checked).sum();
    }

    private static List<Reply> stream(String id) {
        return ScriptedServer.stream(id, TOKENS, MS, 20 * MS);
    }

    @Test
    void shouldKillAWorkerAndSeeThatNobodyNotices() throws Exception {
        Process worker = worker();
        try (ScriptedServer server = new ScriptedServer((request, _) -> stream(request.id()))) {
            int exitCode = run("--url", server.url().toString(), "--faults", "kill-worker=150ms", "--repeats", "0.01", "--worker-pid",
                    String.valueOf(worker.pid()));
            assertEquals(0, exitCode, said.toString());
        } finally {
            worker.destroyForcibly();
        }
        assertEquals(128 + 9, worker.waitFor(), "killed without a word");
        Kills kills = kills();
        assertEquals(1, kills.count(), "there was one");
        assertEquals(3, kills.disturbed());
        assertEquals(3, kills.finished());
        assertEquals(0, kills.lost() + kills.repeated());
        assertTrue(kills.pause().max() >= 20 && kills.pause().count() == 3, kills.toString());
        assertTrue(checked(step(), Promise.REPEATED) >= 3, "each of them was asked again");
        assertTrue(step().marks().stream().anyMatch(mark -> mark.what().startsWith("kill: process ")), said.toString());
        assertTrue(said.toString().contains("of 3 streams that ran, 3 came to their end; tokens lost 0, repeated 0"), said.toString());
    }

    @Test
    void shouldCatchATokenThatComesAgain() throws Exception {
        Process worker = worker();
        try (ScriptedServer server = new ScriptedServer((request, _) -> {
            List<Reply> replies = stream(request.id());
            replies.add(25, replies.get(24));
            return replies;
        })) {
            assertEquals(1, run("--url", server.url().toString(), "--faults", "kill-worker=150ms", "--worker-pid",
                    String.valueOf(worker.pid())), said.toString());
        } finally {
            worker.destroyForcibly();
        }
        assertEquals(3, kills().repeated());
        assertTrue(said.toString().contains("a token repeated or out of order: seq="), said.toString());
    }

    /** A server that is a worker itself goes down with its connections; its streams are another's then. */
    @Test
    void shouldGoOnAtAnotherServer() throws Exception {
        Process worker = worker();
        try (ScriptedServer stays = new ScriptedServer((request, _) -> stream(request.id()));
                ScriptedServer dies = new ScriptedServer((request, _) -> stream(request.id()), stays)) {
            var _ = worker.onExit().thenRun(dies::die);
            int exitCode = run("--url", dies.url().toString(), "--url", stays.url().toString(), "--faults", "kill-worker=150ms",
                    "--repeats", "0.01", "--worker-pid", String.valueOf(worker.pid()));
            assertEquals(0, exitCode, said.toString());
        } finally {
            worker.destroyForcibly();
        }
        RunReport.Step step = step();
        assertEquals(2, step.servers().size());
        assertEquals(step.figures().requests(), step.servers().stream().mapToLong(server -> server.figures().requests()).sum());
        assertTrue(step.servers().stream().allMatch(server -> server.figures().tokens() > 0), said.toString());
        assertEquals(3, kills().disturbed());
        assertEquals(0, kills().lost() + kills().repeated());
        assertTrue(Objects.requireNonNull(step.figures().resumes()).resumed() >= 1, said.toString());
        assertEquals(step.figures().requests(), step.figures().finished(), said.toString());
        assertTrue(said.toString().contains("server 2"), said.toString());
    }

    /** What is killed without a server that could go on is an error, with a name. */
    @Test
    void shouldSayThatAStreamEndedWithItsWorker() throws Exception {
        Process worker = worker();
        try (ScriptedServer stays = new ScriptedServer((request, _) -> stream(request.id()));
                ScriptedServer dies = new ScriptedServer((request, _) -> List.of())) {
            var _ = worker.onExit().thenRun(dies::die);
            run("--url", dies.url().toString(), "--url", stays.url().toString(), "--faults", "kill-worker=150ms",
                    "--worker-pid", String.valueOf(worker.pid()));
        } finally {
            worker.destroyForcibly();
        }
        assertTrue(step().figures().errors().getOrDefault("worker_killed", 0L) >= 1, said.toString());
        assertEquals(0, checked(step(), Promise.RESUMED));
    }

    @Test
    void shouldStartWorkersAndStartThemAgain() throws Exception {
        Path starts = directory.resolve("starts");
        Path script = directory.resolve("worker.sh");
        Files.writeString(script, "echo $$ >> %s\necho ready on ws://127.0.0.1:9/\nexec sleep 1000\n".formatted(starts));
        try (ScriptedServer server = new ScriptedServer((request, _) -> stream(request.id()))) {
            int exitCode = run("--url", server.url().toString(), "--faults", "kill-worker=100ms", "--worker-back", "10ms",
                    "--worker-command", "/bin/sh " + script);
            assertEquals(0, exitCode, said.toString());
        }
        assertTrue(kills().count() >= 2, said.toString());
        List<String> pids = Files.readAllLines(starts);
        assertTrue(pids.size() >= 3, pids.toString());
        for (String pid : pids) {
            ProcessHandle.of(Long.parseLong(pid)).ifPresent(left -> left.onExit().orTimeout(10, TimeUnit.SECONDS).join());
        }
    }

    @Test
    void shouldReadTheProcessFromAFile() throws Exception {
        Process worker = worker();
        Path file = directory.resolve("pid");
        Files.writeString(file, worker.pid() + "\n");
        try (ScriptedServer server = new ScriptedServer((request, _) -> stream(request.id()))) {
            assertEquals(0, run("--url", server.url().toString(), "--faults", "kill-worker=150ms", "--worker-pid", file.toString()),
                    said.toString());
        } finally {
            worker.destroyForcibly();
        }
        assertEquals(1, kills().count());
    }

    @Test
    void shouldReportServersApartAndNoKills() throws Exception {
        try (ScriptedServer one = new ScriptedServer((request, _) -> stream(request.id()));
                ScriptedServer other = new ScriptedServer((request, _) -> stream(request.id()))) {
            assertEquals(0, run("--url", one.url().toString(), "--url", other.url().toString(), "-c", "1", "--report",
                    directory.resolve("out.html").toString()), said.toString());
        }
        assertNull(step().kills());
        assertEquals(List.of(3L, 3L), step().servers().stream().map(server -> server.figures().finished()).toList(), "in turn");
        String html = Files.readString(directory.resolve("out.html"));
        assertTrue(html.contains("Server by server"), html);
        assertFalse(html.contains("Killed:"), html);
    }

    @ParameterizedTest
    @CsvSource({
        "--faults, kill-worker=1s, --faults kill-worker=EVERY needs --worker-pid", "--worker-pid, 1, --faults kill-worker=EVERY needs",
        "--faults, kill-worker=1ms, kill-worker must be at least 100ms"
    })
    void shouldRefuseHalfOfIt(String option, String value, String message) {
        assertEquals(2, run(option, value));
        assertTrue(said.toString().contains(message), said.toString());
    }

    @ParameterizedTest
    @CsvSource({"1, who started this", "999999999, no such process", "nowhere, neither a number nor a file"})
    void shouldRefuseWhatIsNoWorker(String pid, String message) {
        assertEquals(1, run("--faults", "kill-worker=1s", "--worker-pid", pid));
        assertTrue(said.toString().contains(message), said.toString());
    }

    @Test
    void shouldNotKillItself() {
        assertEquals(1, run("--faults", "kill-worker=1s", "--worker-pid", String.valueOf(ProcessHandle.current().pid())));
        assertTrue(said.toString().contains("not a worker but who started this"), said.toString());
    }
}

package dev.tidestream.loadtest;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.netty.DisposableServer;

import dev.tidestream.loadtest.report.JsonReport;
import dev.tidestream.loadtest.report.RunReport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** One command that starts what it measures: a server of ours, and another one beside it. */
class SpawnTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path directory;

    private final StringWriter said = new StringWriter();

    private int run(String... args) {
        return Main.run(new PrintWriter(said), new PrintWriter(said), args);
    }

    /** Below the ports that systems give to whoever asks for any: nobody takes it before the server does that is told to. */
    private static int freePort() throws IOException {
        SplittableRandom random = new SplittableRandom();
        while (true) {
            try (ServerSocket free = new ServerSocket(random.nextInt(20_000, 32_000), 1, InetAddress.getLoopbackAddress())) {
                return free.getLocalPort();
            } catch (BindException e) { // taken: the next one
                assertTrue(random.nextInt(1000) > 0, e.toString());
            }
        }
    }

    /** The directory that was made for a server, from what was said about its arguments. */
    private static Path madeFor(String arguments) {
        Matcher data = Pattern.compile("--data-dir (\\S+)/data ").matcher(arguments);
        assertTrue(data.find(), arguments);
        return Path.of(String.valueOf(data.group(1)));
    }

    @Test
    void shouldMeasureTwoServersThatItStarts() throws Exception {
        int port = freePort();
        Path out = directory.resolve("out.json");
        Path html = directory.resolve("out.html");
        Path note = directory.resolve("arguments");
        int exitCode = run("--spawn", "--spawn-command", Peers.command(), "--spawn-args", note.toString(),
                "--baseline-url", Peers.completions(port).toString(), "--baseline-command", Peers.command() + " sse " + port,
                "--baseline-name", "peer",
                "--sweep", "1,3", "--requests", "6", "--warmup", "0s",
                "--output-tokens", "3", "--out", out.toString(), "--report", html.toString());
        assertEquals(0, exitCode, said.toString());
        RunReport report = JsonReport.read(out);
        assertEquals(List.of("tidestream 1 stream", "openai 1 stream", "tidestream 3 streams", "openai 3 streams"),
                report.steps().stream().map(step -> step.target().split(" ", 2)[0] + " " + step.load()).toList());
        for (RunReport.Step step : report.steps()) {
            assertEquals(6, step.figures().finished(), step.toString());
            assertEquals(18, step.figures().tokens(), step.toString());
            assertTrue(step.figures().server() != null && step.figures().server().rssMb() > 10, "what the server used: "
                    + step.figures().server());
        }
        assertTrue(Files.readString(html).contains("peer p50"), "both in one chart");
        assertFalse(Files.exists(madeFor(Files.readString(note))), "the server's directory is left behind");
    }

    @Test
    void shouldSayWhatAServerSaidThatDoesNotStart() throws Exception {
        assertEquals(1, run("--spawn", "--spawn-command", Peers.command(), "--spawn-args", "--broken"));
        assertTrue(said.toString().contains("loadtest: the server does not get ready:") && said.toString().contains(
                "no such model"), said.toString());
        assertFalse(Files.exists(madeFor(said.toString())), "the server's directory is left behind");
        assertEquals(1, run("--spawn", "--spawn-command", directory.resolve("nothing").toString()));
        assertTrue(said.toString().contains("cannot start a server"), said.toString());
    }

    @Test
    void shouldNotTakeAStrangerForTheBaseline() throws Exception {
        int port = freePort();
        DisposableServer stranger = Peers.sse(port, List.of("a"), 1);
        int exitCode = run("--url", "ws://127.0.0.1:1/v1/stream", "--baseline-url", Peers.completions(port).toString(),
                "--baseline-command", "true");
        stranger.disposeNow();
        assertEquals(1, exitCode);
        assertTrue(said.toString().contains("somebody answers at"), said.toString());
        assertEquals(1, run("--url", "ws://127.0.0.1:1/v1/stream", "--baseline-url", Peers.completions(freePort()).toString(),
                "--baseline-command", "true"));
        assertTrue(said.toString().contains("the baseline does not answer at"), said.toString());
    }
}

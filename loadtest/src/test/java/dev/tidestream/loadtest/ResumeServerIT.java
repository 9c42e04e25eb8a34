package dev.tidestream.loadtest;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.report.JsonReport;
import dev.tidestream.loadtest.report.RunReport;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.TidestreamServer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The real server goes on with streams whose connection was broken off, and their text is that of undisturbed ones. */
class ResumeServerIT {
    @TempDir
    private static Path folder;

    private static TidestreamServer server;

    @BeforeAll
    static void start() throws Exception {
        server = TidestreamServer.start(ServerConfig.DEFAULT.withPort(0));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void shouldLoseAndRepeatNothing() throws Exception {
        StringWriter said = new StringWriter();
        Path out = folder.resolve("out.json");
        int exitCode = Main.run(new PrintWriter(said), new PrintWriter(said), "--url", "ws://127.0.0.1:" + server.port() + "/v1/stream",
                "--requests", "60", "--concurrency", "6", "--warmup", "0s", "--prompt-tokens", "uniform:4-20",
                "--output-tokens", "uniform:20-60", "--follow", "0.2", "--repeats", "0.1", "--faults", "resume=0.5,vanish=0.05,cancel=0.05",
                "--fail-on-errors", "--out", out.toString());
        assertEquals(0, exitCode, said.toString());
        RunReport report = JsonReport.read(out);
        Figures.Resumes resumes = Objects.requireNonNull(report.steps().getFirst().figures().resumes(), said::toString);
        assertTrue(resumes.dropped() > 5, said.toString());
        assertEquals(new Figures.Resumes(resumes.dropped(), resumes.dropped(), Map.of(), 0, 0), resumes);
        assertTrue(report.steps().getFirst().promises().stream()
                .anyMatch(count -> count.promise() == Promise.REPEATED && count.checked() > 0), said.toString());
    }
}

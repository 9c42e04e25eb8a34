package dev.tidestream.loadtest;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.figures.PromiseCount;
import dev.tidestream.loadtest.report.JsonReport;
import dev.tidestream.loadtest.report.RunReport;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.TidestreamServer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The real server keeps what OpenAI's wires promise, with clients that leave, read slowly and ask again. */
class OpenAiServerIT {
    @TempDir
    private static Path folder;

    private static TidestreamServer server;

    @BeforeAll
    static void start() throws Exception {
        Path template = folder.resolve("chat.jinja");
        Files.writeString(template, """
                {% for message in messages %}{{ message.role }} said: {{ message.content }}
                {% endfor %}{% if add_generation_prompt %}And then{% endif %}""");
        server = TidestreamServer.start(
                ServerConfig.DEFAULT.withPort(0).withChats(ServerConfig.Chats.DEFAULT.withTemplate(template)));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"chat", "completions", "responses"})
    void shouldKeepItsPromises(String api) throws Exception {
        StringWriter said = new StringWriter();
        Path out = folder.resolve(api + ".json");
        int exitCode = Main.run(new PrintWriter(said), new PrintWriter(said), "--target", "openai", "--api", api,
                "--url", "http://127.0.0.1:" + server.port(), "--requests", "40", "--concurrency", "4", "--warmup", "0s",
                "--prompt-tokens", "uniform:4-20", "--output-tokens", "uniform:2-12", "--repeats", "0.3",
                "--faults", "cancel=0.1,vanish=0.1,slow=0.05", "--fail-on-errors", "--out", out.toString());
        assertEquals(0, exitCode, said.toString());
        RunReport report = JsonReport.read(out);
        assertEquals("openai " + api, report.settings().get("wire"));
        for (Promise promise : new Promise[] {Promise.USAGE, Promise.REPEATED, Promise.PINNED,
            api.equals("responses") ? Promise.WHOLE : Promise.DONE}) {
            assertTrue(checked(report, promise) > 0, promise + " was never looked at: " + said);
        }
        assertTrue(report.steps().getFirst().figures().finished() > 20, said.toString());
    }

    private static long checked(RunReport report, Promise promise) {
        return report.steps().getFirst().promises().stream().filter(count -> count.promise() == promise)
                .mapToLong(PromiseCount::checked).sum();
    }
}

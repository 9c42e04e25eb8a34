package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.TidestreamServer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * OpenAI's client from npm, of the pinned version in {@code src/npm}; with {@code mvn -P npm-clients}, which needs node and
 * npm.
 */
@EnabledIfSystemProperty(named = "tidestream.npm.clients", matches = "true")
class NpmClientsIT {
    private static final Path SOURCES = Path.of("src/npm");
    private static final int PATIENCE_S = 300;

    @TempDir
    private static Path folder;

    private static TidestreamServer server;

    /** What a program said, both streams, and its exit code. */
    private record Ran(int exitCode, String said) {}

    @BeforeAll
    static void start() throws Exception {
        for (String file : List.of("package.json", "package-lock.json", "openai-clients.mjs")) {
            Files.copy(SOURCES.resolve(file), folder.resolve(file));
        }
        Ran installed = run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
        assertEquals(0, installed.exitCode(), installed.said());
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

    private static Ran run(String... command) throws IOException, InterruptedException {
        Path said = folder.resolve("said.txt");
        Process process = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(said.toFile()).start();
        boolean ended = process.waitFor(PATIENCE_S, TimeUnit.SECONDS);
        process.destroyForcibly();
        String text = Files.readString(said, StandardCharsets.UTF_8);
        assertTrue(ended, () -> "%s does not end within %d s:%n%s".formatted(String.join(" ", command), PATIENCE_S, text));
        return new Ran(process.exitValue(), text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"chat", "responses", "lanes"})
    void shouldServeTheClientFromNpm(String check) throws Exception {
        Ran ran = run("node", "openai-clients.mjs", "http://127.0.0.1:" + server.port() + "/v1", check);
        assertEquals(0, ran.exitCode(), ran.said());
        System.out.print(ran.said());
    }
}

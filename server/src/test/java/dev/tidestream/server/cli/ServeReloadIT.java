package dev.tidestream.server.cli;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.transport.tls.TestCertificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The whole server in a process of its own, with files that change while it runs, and signals. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class ServeReloadIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    Path temp;

    @SuppressWarnings("NullAway.Init") // set by start
    private Path printed;
    @SuppressWarnings("NullAway.Init") // set by start
    private Process process;

    @AfterEach
    void end() {
        process.destroyForcibly();
    }

    private void start(String... options) throws IOException {
        printed = temp.resolve("printed");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC",
                "-Dlogback.configurationFile=logback.xml", // the server's own, not that of tests
                "-cp", System.getProperty("java.class.path"), Main.class.getName(), "serve"));
        command.addAll(List.of(options));
        process = new ProcessBuilder(command).redirectOutput(printed.toFile()).redirectErrorStream(true).start();
    }

    private String awaitLine(String pattern) throws Exception {
        return awaitLines(pattern, 1);
    }

    /** The last of so many lines. */
    private String awaitLines(String pattern, int count) throws Exception {
        long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            List<String> found = Files.readAllLines(printed).stream().filter(line -> line.matches(".*" + pattern + ".*"))
                    .toList();
            if (found.size() >= count) {
                return found.get(count - 1);
            }
            assertTrue(System.nanoTime() < deadlineNs, Files.readString(printed));
            assertFalse(process.waitFor(5, TimeUnit.MILLISECONDS), Files.readString(printed));
        }
    }

    private void signal(String name) throws Exception {
        assertEquals(0, new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).inheritIO().start().waitFor());
    }

    @Test
    void shouldTakeFilesAnew() throws Exception {
        TestCertificate first = TestCertificate.make(temp, "first", "EC");
        TestCertificate second = TestCertificate.make(temp, "second", "EC");
        first.write(temp);
        Path config = Files.writeString(temp.resolve("t.yaml"), """
                port: 0
                tls-cert: %s
                tls-key: %s
                max-connections: 2
                """.formatted(temp.resolve("cert.pem"), temp.resolve("key.pem")));
        start("--config", config.toString());
        String url = awaitLine("ready on wss://[^ ]* ").replaceAll(".*(wss://[^ ]*) .*", "$1");
        SSLContext trust = TestCertificate.trusting(first, second);
        try (HttpClient client = HttpClient.newBuilder().sslContext(trust).build()) {
            HttpResponse<String> ready = client.send(HttpRequest.newBuilder(
                    URI.create(url.replace("wss:", "https:").replace("/v1/stream", "/health/ready"))).build(),
                    HttpResponse.BodyHandlers.ofString());
            assertEquals("200 HTTP_2", ready.statusCode() + " " + ready.version());
            Files.writeString(config, Files.readString(config)
                    .replace("max-connections: 2", "max-connections: 1\nmax-queued: 7\nkv-memory: 64MiB\nlog-level: warn"));
            assertTrue(awaitLine("setting_changed name=max-connections")
                    .endsWith("from=\"2\" to=\"1\" origin=\"%s:4\" takes_effect=now".formatted(config)));
            assertTrue(awaitLine("setting_changed name=max-queued").endsWith("takes_effect=now"));
            assertTrue(awaitLine("setting_changed name=kv-memory").endsWith("takes_effect=at_restart"));
            WebSocket only = socket(client, url);
            assertThrows(CompletionException.class, () -> socket(client, url), "one connection is all");
            only.abort();
        }
        Files.writeString(config, Files.readString(config).replace("log-level: warn", "log-level: wran"));
        assertTrue(awaitLine("config_kept").contains("reason=\"--log-level must be error, warn, info, debug or trace: 'wran'"),
                Files.readString(printed));
        Files.writeString(config, Files.readString(config).replace("log-level: wran\n", ""));
        awaitLines("setting_changed name=log-level", 2);
        second.write(temp);
        assertTrue(awaitLine("tls_renewed").contains("subject=\"CN=second\""));
        Files.writeString(temp.resolve("key.pem"), first.keyPem());
        awaitLine("WARN .*tls_kept reason=");
        signal("HUP");
        awaitLines("tls_kept reason=", 2);
        awaitLine("config_read settings_changed=0");
        signal("TERM");
        assertTrue(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), Files.readString(printed));
    }

    private static WebSocket socket(HttpClient client, String url) {
        return client.newWebSocketBuilder().subprotocols("tidestream.v1")
                .buildAsync(URI.create(url), new WebSocket.Listener() {}).join();
    }

    /** The first signal waits for a stream, the second for nobody. */
    @Test
    void shouldEndAtOnceAtTheSecondSignal() throws Exception {
        start("--port", "0", "--drain-timeout", "3600");
        String url = awaitLine("ready on ws://[^ ]* ").replaceAll(".*(ws://[^ ]*) .*", "$1");
        try (HttpClient client = HttpClient.newHttpClient()) {
            WebSocket waiting = socket(client, url);
            waiting.sendText("{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"x\",\"max_tokens\":9,\"credit\":1}", true).join();
            HttpResponse<String> models = client.send(HttpRequest.newBuilder(
                    URI.create(url.replace("ws:", "http:").replace("/v1/stream", "/v1/models"))).build(),
                    HttpResponse.BodyHandlers.ofString());
            assertEquals(200, models.statusCode(), "what was sent before has been read");
            signal("TERM");
            awaitLine("stopping: connections=1, under_way=1");
            signal("TERM");
            assertTrue(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS));
            assertEquals(128 + 15, process.exitValue(), Files.readString(printed));
            waiting.abort();
        }
    }
}

package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.SharedData;
import dev.tidestream.server.app.StartListener;
import dev.tidestream.server.app.TidestreamServer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Versions that are merged, exported and pruned by the commands of a terminal, over real HTTP. */
class WeightsFilesIT {
    private static final String TOKEN = "a-token-of-this-test-alone";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path SUITE = SharedData.path("ties/suite");

    @TempDir
    Path temp;

    @SuppressWarnings("NullAway.Init") // before each test
    private TidestreamServer server;

    @BeforeEach
    void start() throws IOException {
        Files.writeString(temp.resolve("token"), TOKEN);
        server = server(SUITE.resolve("base-tied-embed-only/hf"), "data", "adapter-embed");
    }

    private TidestreamServer server(Path model, String data, String adapter) {
        ServeCommand options = new ServeCommand();
        Main.commandLine(options).parseArgs("--port", "0", "--model", model.toString(), "--data-dir", temp.resolve(data).toString(),
                "--admin-token-file", temp.resolve("token").toString(), "--kv-memory", "32MiB",
                "--adapter", "org/law=" + SUITE.resolve(adapter).resolve("adapter"));
        return TidestreamServer.listen(options.config(), StartListener.NONE);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Run run(TidestreamServer of, String... command) {
        List<String> all = new ArrayList<>(List.of("weights"));
        all.addAll(Arrays.asList(command));
        all.addAll(List.of("--url", "ws://127.0.0.1:%d/v1/admin".formatted(of.port()), "--token-file", temp.resolve("token").toString(), "--json"));
        return Run.of(all.toArray(String[]::new));
    }

    private JsonNode done(TidestreamServer of, String... command) throws IOException {
        Run run = run(of, command);
        assertEquals(0, run.code(), run.toString());
        return JSON.readTree(run.out());
    }

    private String logits(Path model) throws IOException {
        Path out = temp.resolve("logits" + System.nanoTime());
        Run run = Run.of("logits", "-m", model.toString(), "--tokens", "5,6,7,8,9", "-o", out.toString());
        assertEquals(0, run.code(), run.toString());
        return Arrays.toString(Files.readAllBytes(out));
    }

    @Test
    void shouldMergeExportAndPrune() throws Exception {
        JsonNode merged = done(server, "merge-adapter", "org/law", "--update-id", "m", "--base-version", "1");
        assertEquals(2, merged.path("version").asLong());
        assertEquals("adapter org/law", merged.path("label").asText());
        assertTrue(done(server, "merge-adapter", "org/law", "--update-id", "m", "--base-version", "1").path("repeated").asBoolean());
        assertTrue(run(server, "merge-adapter", "nobody").err().contains("unknown_adapter"));
        assertEquals(3, done(server, "rollback", "1").path("version").asLong());
        assertEquals(4, done(server, "rollback", "2").path("version").asLong());

        Path gguf = temp.resolve("four.gguf");
        assertEquals(Files.size(gguf(4, gguf)), done(server, "export", "--format", "gguf", "-o", gguf.toString(), "--force").path("bytes").asLong());
        assertTrue(run(server, "export", "-o", gguf.toString()).err().contains("--force"));
        assertTrue(run(server, "export", "--version", "9", "-o", temp.resolve("9").toString()).err().contains("unknown_version"));
        assertFalse(Files.exists(temp.resolve("9")));
        Path weights = temp.resolve("one.safetensors");
        done(server, "export", "--version", "1", "--format", "safetensors", "-o", weights.toString());
        assertEquals(logits(SUITE.resolve("base-tied-embed-only/hf")), logits(gguf(1, temp.resolve("one.gguf"))));
        assertEquals(logits(gguf(2, temp.resolve("two.gguf"))), logits(gguf));
        assertFalse(logits(gguf).equals(logits(temp.resolve("one.gguf"))));

        JsonNode pruned = done(server, "prune", "--keep", "2");
        assertEquals(3, pruned.path("kept_from").asLong());
        assertEquals(1, pruned.path("versions").asLong());
        assertTrue(run(server, "rollback", "2").err().contains("version_gone"));
        assertTrue(run(server, "export", "--version", "2", "-o", temp.resolve("x").toString()).err().contains("version_gone"));
        assertTrue(done(server, "verify", "4").path("sound").asBoolean());
        assertTrue(done(server, "list").path("versions").get(1).path("gone").asBoolean());
        try (Stream<Path> files = Files.list(temp.resolve("data"))) {
            assertEquals(0, files.filter(file -> file.getFileName().toString().startsWith("payload-")).count());
        }
        server.close();
        server = server(SUITE.resolve("base-tied-embed-only/hf"), "data", "adapter-embed");
        assertTrue(done(server, "verify", "4").path("sound").asBoolean());
        assertEquals(logits(gguf), logits(gguf(4, temp.resolve("again.gguf"))));
        try (TidestreamServer other = server(gguf, "other", "adapter-qv")) {
            assertEquals(1, done(other, "list").path("current").asLong());
        }
    }

    private Path gguf(long version, Path file) throws IOException {
        done(server, "export", "--version", String.valueOf(version), "-o", file.toString());
        return file;
    }

    /** Clients that ask for a version and take none of it, or go away, hold no thread, and their place is free again. */
    @Test
    void shouldNotWaitForWhoDoesNotRead() throws Exception {
        for (int i = 0; i < 3; i++) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                String request = "GET /admin/weights/versions/1/export?format=safetensors HTTP/1.1\r\n"
                        + "host: 127.0.0.1\r\nauthorization: Bearer %s\r\n\r\n".formatted(TOKEN);
                socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
                InputStream in = socket.getInputStream();
                assertEquals("HTTP/1.1 200 OK", new String(in.readNBytes(15), StandardCharsets.UTF_8));
                assertTrue(done(server, "verify", "1").path("sound").asBoolean());
                socket.setSoLinger(true, 0);
            }
            for (Run run = run(server, "export", "-o", temp.resolve("w" + i).toString()); run.code() != 0; run = run(
                    server, "export", "-o", temp.resolve("w" + i).toString())) {
                assertTrue(run.err().contains("busy"), run.toString());
            }
        }
    }
}

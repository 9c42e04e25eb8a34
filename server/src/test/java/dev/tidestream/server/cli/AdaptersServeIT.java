package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.SharedData;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** {@code serve --adapter} and {@code --adapter-dir}, and the commands that look after adapters. */
class AdaptersServeIT {
    @TempDir
    Path temp;

    private static Path suite() {
        return SharedData.path("ties/suite");
    }

    private String[] base(String... more) {
        List<String> args = new ArrayList<>(List.of("--model", suite().resolve("base-tied-embed-only/hf").toString(),
                "--kv-memory", "32MiB"));
        args.addAll(List.of(more));
        return args.toArray(String[]::new);
    }

    private Run admin(StartedServer server, String... args) {
        List<String> all = new ArrayList<>(List.of("admin"));
        all.addAll(List.of(args));
        all.addAll(List.of("--url", "ws://127.0.0.1:" + server.port(), "--token-file", temp.resolve("token").toString()));
        return Run.of(all.toArray(String[]::new));
    }

    @Test
    void shouldServeThemFromTheStartAndFromTheDirectory() throws Exception {
        try (StartedServer server = new StartedServer(temp, base("--adapter", "qv=" + suite().resolve("adapter-qv/adapter"),
                "--adapter-dir", suite().toString()));
                TestClient client = new TestClient(server.port())) {
            assertServed(admin(server, "adapters"), "qv");
            Run loaded = admin(server, "load-adapter", "head", "adapter-head/adapter");
            assertEquals(0, loaded.code(), loaded.toString());
            assertServed(admin(server, "adapters"), "qv", "head");
            client.send("""
                    {"type":"generate","id":"a","tokens":[5,6,7],"max_tokens":20,"adapter":"head","credit":0}""");
            assertNotNull(client.until(ServerMessage.Accepted.class::isInstance));
            Run streams = admin(server, "streams");
            assertTrue(Pattern.compile("parked +0 .* head\\b").matcher(streams.out()).find(), streams.toString());
            Run outside = admin(server, "load-adapter", "other", temp.toString());
            assertEquals(1, outside.code(), outside.toString());
            assertEquals(0, admin(server, "unload-adapter", "head").code());
            assertServed(admin(server, "adapters"), "qv");
        }
    }

    private static void assertServed(Run adapters, String... names) {
        assertEquals(0, adapters.code(), adapters.toString());
        List<String> listed = adapters.out().lines().dropWhile(line -> !line.startsWith("name ")).skip(1)
                .map(line -> line.split(" ", 2)[0]).toList();
        assertEquals(List.of(names), listed, adapters.out());
    }

    @Test
    void shouldLoadNoneWithoutADirectory() throws Exception {
        try (StartedServer server = new StartedServer(temp, base())) {
            Run refused = admin(server, "load-adapter", "head", suite().resolve("adapter-head/adapter").toString());
            assertEquals(1, refused.code(), refused.toString());
            assertTrue(refused.err().contains("--adapter-dir"), refused.err());
        }
    }

    /** Before anybody is served: the adapter is named, and why. */
    @Test
    void shouldNotStartWithOneThatDoesNotFit() throws Exception {
        String[] args = base("--port", "0", "--adapter", "wrong=" + suite().resolve("adapter-wrong-shape/adapter"));
        Run run = Run.of(concat("serve", args));
        assertEquals(1, run.code(), run.toString());
        assertTrue(run.err().startsWith("tidestream: ") && run.err().contains("wrong"), run.err());
        Path nowhere = temp.resolve("nowhere");
        Run missing = Run.of(concat("serve", base("--port", "0", "--adapter", "law=" + nowhere)));
        assertEquals(1, missing.code(), missing.toString());
        assertTrue(missing.err().matches("(?s)tidestream: adapter law: neither a folder nor a file: '.*nowhere'.*"), missing.err());
        assertTrue(Files.notExists(nowhere));
    }

    private static String[] concat(String first, String... rest) {
        List<String> all = new ArrayList<>(List.of(first));
        all.addAll(List.of(rest));
        return all.toArray(String[]::new);
    }
}

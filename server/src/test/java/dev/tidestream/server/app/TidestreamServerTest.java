package dev.tidestream.server.app;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.app.ServerException.Reason;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A server in somebody else's process: it takes what it needs, and leaves nothing behind. */
class TidestreamServerTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final EngineConfig SMALL = EngineConfig.DEFAULT.withKvMemoryBytes(32L << 20).withMaxSequences(2);
    private static final ServerConfig CONFIG = ServerConfig.DEFAULT.withPort(0).withEngine(SMALL)
            .withCompute(ServerConfig.Compute.DEFAULT.withThreads(2));

    @TempDir
    Path temp;

    private static Set<Thread> threads() {
        return Set.copyOf(Thread.getAllStackTraces().keySet());
    }

    /** Of the server, of its event loops, of its engine; what the JVM or a library keeps for the whole process is nobody's. */
    private static boolean isOurs(Thread thread) {
        return thread.getName().startsWith("tidestream-") || thread.getName().startsWith("vert.x-");
    }

    private void assertNothingLeft(Set<Thread> before) throws Exception {
        for (Thread thread : threads()) {
            if (isOurs(thread) && !before.contains(thread)) {
                assertTrue(thread.join(PATIENCE), "still runs: " + thread);
            }
        }
        assertEquals(List.of(), openFiles());
    }

    /** Of the temporary directory, where the system says so. */
    private List<String> openFiles() throws IOException {
        Path descriptors = Path.of("/proc/self/fd");
        if (!Files.isDirectory(descriptors)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(descriptors)) {
            return all.map(TidestreamServerTest::target).filter(file -> file.startsWith(temp.toString())).toList();
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return ""; // closed since it was listed
        }
    }

    @Test
    void shouldLeaveNothingBehindTwiceInOneProcess() throws Exception {
        ServerConfig config = CONFIG.withDataDir(temp.resolve("data"))
                .withCompute(CONFIG.compute().withPacked(ServerConfig.Packed.in(temp.resolve("packed"))));
        for (int round = 0; round < 2; round++) {
            Set<Thread> before = threads();
            TidestreamServer server = TidestreamServer.start(config);
            int port = server.port();
            try (server; TestClient client = new TestClient(port)) {
                assertEquals("ws://127.0.0.1:" + port + "/v1/stream", server.streamUrl());
                assertTrue(server.madeUpToken().isPresent());
                client.generate("a", "Once upon a time", 4, ",\"credit\":8");
                assertEnds(client);
            }
            server.close(); // again does nothing
            assertNothingLeft(before);
            try (ServerSocket free = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                assertEquals(port, free.getLocalPort());
            }
        }
    }

    private static void assertEnds(TestClient client) throws InterruptedException {
        ServerMessage message = client.next();
        while (!(message instanceof ServerMessage.Finished)) {
            assertFalse(message instanceof ServerMessage.Failed, message.toString());
            message = client.next();
        }
    }

    @Test
    void shouldServeTwoAtOnce() throws Exception {
        try (TidestreamServer one = TidestreamServer.start(CONFIG); TidestreamServer other = TidestreamServer.start(CONFIG);
                TestClient first = new TestClient(one.port()); TestClient second = new TestClient(other.port())) {
            first.generate("a", "The fox", 3, ",\"credit\":8");
            second.generate("a", "The fox", 3, ",\"credit\":8");
            assertEnds(first);
            assertEnds(second);
        }
    }

    @Test
    void shouldSayWhyItDoesNotStart() throws Exception {
        Set<Thread> before = threads();
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertRefused(Reason.ADDRESS, "address in use", CONFIG.withPort(taken.getLocalPort()));
        }
        ServerConfig.Updates none = CONFIG.updates();
        assertRefused(Reason.ADMIN_TOKEN, "no such file", CONFIG.withUpdates(none.withTokenFile(temp.resolve("no-token"))));
        assertRefused(Reason.UPDATE_DIRECTORY, "no such directory", CONFIG.withUpdates(none.withUpdateDir(temp.resolve("nothing"))));
        Path file = Files.writeString(temp.resolve("file"), "no model");
        assertRefused(Reason.DATA_DIRECTORY, "no directory", CONFIG.withDataDir(file));
        assertRefused(Reason.MODEL, "file", CONFIG.withModel(file));
        assertRefused(Reason.LIMITS, "", CONFIG.withEngine(SMALL.withKvMemoryBytes(1)));
        assertRefused(Reason.MEMORY, "memory_budget_bytes=1", CONFIG.withUpdates(new ServerConfig.Updates(
                null, null, null, 1L, none.live(), none.kept(), none.checkpoints(), none.builderShare(), none.wrongTokens(), none.shadow(),
                none.trainers())));
        assertNothingLeft(before);
    }

    private static void assertRefused(Reason reason, String message, ServerConfig config) {
        ServerException e = assertThrows(ServerException.class, () -> TidestreamServer.start(config).close());
        assertEquals(reason, e.reason(), e.getMessage());
        assertTrue(String.valueOf(e.getMessage()).contains(message), e.getMessage());
    }

    @Test
    void shouldRefuseADataDirectoryThatAnotherServerHas() throws Exception {
        ServerConfig config = CONFIG.withDataDir(temp.resolve("data"));
        try (TidestreamServer _ = TidestreamServer.start(config)) {
            assertRefused(Reason.DATA_DIRECTORY, "in use by another server", config);
        }
    }

    @Test
    void shouldRefuseValuesThatAreOfNoUse() {
        assertThrows(IllegalArgumentException.class, () -> ServerConfig.Compute.DEFAULT.withThreads(0));
        assertThrows(IllegalArgumentException.class, () -> ServerConfig.Updates.DEFAULT.withBuilderShare(Double.NaN));
    }
}

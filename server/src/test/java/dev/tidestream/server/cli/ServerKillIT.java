package dev.tidestream.server.cli;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.app.StartListener;
import dev.tidestream.server.app.TidestreamServer;
import dev.tidestream.server.cli.admin.AdminClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * The whole server, killed at random instants while updates go on, and started again: what was acknowledged is there. A few kills in
 * every build; {@code -Dtidestream.kills=100} for the full measure.
 */
class ServerKillIT {
    private static final int KILLS = Integer.getInteger("tidestream.kills", 2);
    private static final int MAX_RUN_MICROS = 400_000;
    private static final int H = 256;
    private static final int V = 4096;
    private static final String TOKEN = "a-token-of-this-test-alone";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path temp;

    private long acknowledged = 1;
    private long unacknowledged;

    @Test
    void shouldServeEveryAcknowledgedVersionAfterKillAtRandomInstants() throws Exception {
        long seed = Long.getLong("tidestream.seed", System.nanoTime());
        System.out.println("ServerKillIT: -Dtidestream.seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        Files.writeString(temp.resolve("token"), TOKEN);
        for (int kill = 0; kill < KILLS; kill++) {
            String where = "seed=%d, kill %d".formatted(seed, kill);
            try (Child child = new Child()) {
                try (AdminClient admin = child.connect()) {
                    check(admin, where);
                    updateUntilKilled(admin, child, random.nextInt(MAX_RUN_MICROS), where);
                }
            }
        }
        try (Child child = new Child(); AdminClient admin = child.connect()) {
            check(admin, "at the end");
        }
        checkWeights();
        System.out.printf("ServerKillIT: kills=%d, versions=%d, of them committed but not acknowledged=%d%n",
                KILLS, acknowledged - 1, unacknowledged);
        assertTrue(acknowledged > KILLS, "the servers hardly came to commit: versions=" + acknowledged);
    }

    /**
     * One update may have been committed without anybody hearing of it. There are a manifest, a lock and one payload per version:
     * nothing that a crash has left.
     */
    private void check(AdminClient admin, String where) throws Exception {
        AdminReply.Ack status = admin.call(new AdminRequest.WeightsStatus("status"), progress -> {});
        long version = status.weightsVersion();
        assertTrue(version == acknowledged || version == acknowledged + 1,
                "%s: acknowledged=%d, served=%d".formatted(where, acknowledged, version));
        assertEquals(version - 1, status.details().get("committed_versions"), where);
        unacknowledged += version - acknowledged;
        acknowledged = version;
        long expected = 2 + acknowledged - 1;
        long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
        while (files() != expected && System.nanoTime() - deadlineNs < 0) { // a warm-up's payload goes by itself
            Thread.onSpinWait();
        }
        assertEquals(expected, files(), where);
    }

    /**
     * Without the key of receipts, and without checkpoints, of which there are two, and a third for as long as the oldest is not
     * removed yet.
     */
    private long files() throws IOException {
        try (var files = Files.list(temp.resolve("data"))) {
            List<String> names = files.filter(file -> !Files.isDirectory(file)).map(file -> file.getFileName().toString())
                    .filter(name -> !name.equals("receipt-key.pem")).toList();
            long checkpoints = names.stream().filter(name -> name.startsWith("checkpoint-")).count();
            assertTrue(checkpoints <= 3, names.toString());
            return names.size() - checkpoints;
        }
    }

    private void updateUntilKilled(AdminClient admin, Child child, int micros, String where) throws Exception {
        acknowledged = update(admin, acknowledged); // the first one is the server's warm-up
        CompletableFuture<?> killed = CompletableFuture.runAsync(
                child::kill, CompletableFuture.delayedExecutor(micros, TimeUnit.MICROSECONDS));
        try {
            while (true) {
                long version = update(admin, acknowledged);
                assertEquals(acknowledged + 1, version, where);
                acknowledged = version;
            }
        } catch (IOException e) {
            killed.get(PATIENCE.toSeconds(), TimeUnit.SECONDS); // otherwise it was no kill that broke the connection
        }
    }

    /** Version n + 1 sets row n of the embedding to n / 1000, every other one with low rank, which keeps the server busy. */
    private long update(AdminClient admin, long base) throws Exception {
        Payload payload = base % 2 == 0 ? lowRank(base) : rows(base);
        Path file = Files.write(temp.resolve("payload"), payload.bytes());
        String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(payload.bytes()));
        return admin.update(new AdminRequest.WeightsUpdate("r" + base, "u" + base, base, "token_embd.weight", payload.kind(),
                payload.shape(), PayloadType.F32, sha256, payload.bytes().length, payload.rank(), null), file, progress -> {})
                .weightsVersion();
    }

    private record Payload(UpdateKind kind, List<Long> shape, OptionalInt rank, byte[] bytes) {}

    private static Payload rows(long base) {
        ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * H).order(ByteOrder.LITTLE_ENDIAN).putInt((int) base);
        for (int i = 0; i < H; i++) {
            bytes.putFloat(base / 1000f);
        }
        return new Payload(UpdateKind.ROWS, List.of(1L, (long) H), OptionalInt.empty(), bytes.array());
    }

    private static Payload lowRank(long base) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * (V + H)).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putFloat(4 * (int) base, 1f); // A: row base
        for (int i = 0; i < H; i++) {
            bytes.putFloat(4 * (V + i), base / 1000f);
        }
        return new Payload(UpdateKind.LOW_RANK, List.of((long) V, (long) H), OptionalInt.of(1), bytes.array());
    }

    /** Every update is in the weights, whole. */
    private void checkWeights() {
        ServeCommand options = new ServeCommand();
        Main.commandLine(options).parseArgs(arguments().toArray(String[]::new));
        try (TidestreamServer serving = TidestreamServer.listen(options.config(), StartListener.NONE);
                TidestreamServer base = TidestreamServer.listen(withoutData().config(), StartListener.NONE)) {
            float[] row = new float[H];
            float[] before = new float[H];
            for (int n = 1; n < acknowledged; n++) {
                serving.running().first().weights().embedding().lookup(n, row, 0);
                base.running().first().weights().embedding().lookup(n, before, 0);
                for (int i = 0; i < H; i++) {
                    float expected = n % 2 == 0 ? before[i] + n / 1000f : n / 1000f;
                    assertEquals(expected, row[i], 0.01f + Math.abs(expected) * 0.02f, "row " + n);
                }
            }
        }
    }

    private static ServeCommand withoutData() {
        ServeCommand options = new ServeCommand();
        Main.commandLine(options).parseArgs("--port", "0");
        return options;
    }

    private List<String> arguments() {
        return List.of("--port", "0", "--data-dir", temp.resolve("data").toString(),
                "--admin-token-file", temp.resolve("token").toString(), "--checkpoint-updates", "4");
    }

    /** A server in a process of its own. */
    private final class Child implements AutoCloseable {
        private final Process process;
        private final int port;

        Child() throws Exception {
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
                    "-XX:+UseSerialGC", "-Duser.language=ar", "-Duser.country=EG", // digits for programs are not those of the user
                    "-cp", System.getProperty("java.class.path"), Main.class.getName(), "serve"));
            command.addAll(arguments());
            Path printed = temp.resolve("printed");
            Files.deleteIfExists(printed);
            process = new ProcessBuilder(command).redirectOutput(printed.toFile()).redirectErrorStream(true).start();
            boolean ready = false;
            try {
                String text = awaitReady(printed);
                port = Integer.parseInt(text.replaceAll("(?s).* ready on ws://[^:]+:(\\d+)/.*", "$1"));
                ready = true;
            } finally {
                if (!ready) {
                    kill();
                }
            }
        }

        private String awaitReady(Path printed) throws IOException, InterruptedException {
            long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
            String text = "";
            while (!text.matches("(?s).* ready on ws://[^:]+:\\d+/.*")) {
                assertTrue(System.nanoTime() < deadlineNs, text);
                assertFalse(process.waitFor(5, TimeUnit.MILLISECONDS), text);
                text = Files.readString(printed);
            }
            return text;
        }

        AdminClient connect() throws Exception {
            return AdminClient.connect(URI.create("ws://127.0.0.1:" + port + "/v1/admin"), TOKEN, PATIENCE);
        }

        void kill() {
            process.destroyForcibly();
        }

        @Override
        public void close() {
            process.destroyForcibly().onExit().join();
        }
    }
}

package dev.tidestream.server.cli;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.LoggedLines;
import dev.tidestream.server.admin.build.EpochBuilder;
import dev.tidestream.server.cli.admin.AdminClient;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A real server: checkpoints beside streams, a restart from one, the same tokens, and the way back past it. */
class CheckpointIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String REBUILDS = EpochBuilder.class.getName();

    @TempDir
    Path temp;

    /** A row of the embedded model is exchanged. */
    private void update(AdminClient admin, long base) throws Exception {
        ByteBuffer payload = ByteBuffer.allocate(Integer.BYTES + 256 * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN)
                .putInt((int) (300 + base));
        while (payload.hasRemaining()) {
            payload.putFloat((float) Math.sin((double) base + payload.position()) * 0.05f);
        }
        Path file = Files.write(temp.resolve("payload"), payload.array());
        String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(payload.array()));
        admin.update(new AdminRequest.WeightsUpdate("r" + base, "u" + base, base, "token_embd.weight", UpdateKind.ROWS, List.of(1L, 256L),
                PayloadType.F32, sha256, payload.capacity(), OptionalInt.empty(), null), file, progress -> {});
    }

    /** Versions that have one, as a list is printed. */
    private static String checkpoints(AdminClient admin) throws Exception {
        return String.valueOf(admin.call(new AdminRequest.WeightsStatus("s"), progress -> {}).details().get("checkpoints"));
    }

    private static void awaitCheckpoint(AdminClient admin, long version) throws Exception {
        long startNs = System.nanoTime();
        while (!checkpoints(admin).matches(".*\\b" + version + "\\].*")) {
            assertTrue(System.nanoTime() - startNs < PATIENCE.toNanos(), "no checkpoint of " + version + ": " + checkpoints(admin));
        }
    }

    private static List<Integer> tokens(StartedServer server) throws Exception {
        try (TestClient client = new TestClient(server.port())) {
            return client.generate("t", "Once upon a time", 30, ",\"sampling\":{\"temperature\":0}").untilFinished("t").stream()
                    .filter(ServerMessage.Token.class::isInstance).map(token -> ((ServerMessage.Token) token).token()).toList();
        }
    }

    @Test
    void shouldRestartFromACheckpointWithTheSameTokens() throws Exception {
        List<Integer> base;
        List<Integer> newest;
        try (StartedServer server = new StartedServer(temp, "--checkpoint-updates", "5");
                AdminClient admin = server.admin();
                TestClient beside = new TestClient(server.port())) {
            base = tokens(server);
            beside.generate("beside", "Once upon a time", 400, ""); // somebody streams meanwhile
            for (long version = 1; version <= 12; version++) {
                update(admin, version);
                if (version % 5 == 0) {
                    awaitCheckpoint(admin, version + 1);
                }
            }
            beside.untilFinished("beside");
            newest = tokens(server);
        }
        try (LoggedLines logged = new LoggedLines(REBUILDS);
                StartedServer server = new StartedServer(temp, "--checkpoint-updates", "5");
                AdminClient admin = server.admin()) {
            assertTrue(logged.lines().getFirst().startsWith("INFO rebuilding: weights_version=13, from_version=11, updates=2, "),
                    logged.lines().toString());
            assertEquals(newest, tokens(server));
            assertEquals(14, admin.call(new AdminRequest.WeightsRollback("base", 1), progress -> {}).weightsVersion());
            assertEquals(base, tokens(server));
            assertEquals(15, admin.call(new AdminRequest.WeightsRollback("newest", 13), progress -> {}).weightsVersion());
            assertEquals(newest, tokens(server));
        }
        try (Stream<Path> files = Files.list(data())) {
            for (Path file : files.filter(f -> f.getFileName().toString().startsWith("checkpoint-")).toList()) {
                byte[] bytes = Files.readAllBytes(file);
                bytes[bytes.length / 2] ^= 1;
                Files.write(file, bytes);
            }
        }
        try (StartedServer server = new StartedServer(temp, "--checkpoint-updates", "0")) {
            assertEquals(newest, tokens(server), "all updates were applied again");
        }
    }

    private Path data() {
        return temp.resolve("data");
    }
}

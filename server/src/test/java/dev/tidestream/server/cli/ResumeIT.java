package dev.tidestream.server.cli;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.cli.admin.AdminClient;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Streams whose connections are dropped at random, over restarts of the server and updates of its weights: what their clients have in the
 * end is what they would have had without. {@code -Dtidestream.streams=200 -Dtidestream.drops=500} for the full measure.
 */
class ResumeIT {
    private static final int STREAMS = Integer.getInteger("tidestream.streams", 8);
    private static final int DROPS = Integer.getInteger("tidestream.drops", 14);
    private static final int STRETCH = 16; // tokens between two points where the weights change, or the server
    private static final int STRETCHES = 4;
    private static final int H = 256;

    @TempDir
    Path temp;

    private int drops;

    /** One stream's client. */
    private static final class Client {
        final int number;
        final List<ServerMessage.Token> tokens = new ArrayList<>();
        String handle = "";

        Client(int number) {
            this.number = number;
        }

        /** Every fourth moves on to new weights, and computes its tokens anew with them. */
        boolean follows() {
            return number % 4 == 0;
        }

        String id() {
            return "s" + number;
        }

        /** Tokens that it has at the end of a stretch. */
        int upTo(int stretch) {
            return (stretch + 1) * STRETCH;
        }

        void begin(TestClient socket) throws InterruptedException {
            socket.generate(id(), "Stream number " + number, STRETCHES * STRETCH,
                    ",\"resumable\":true,\"credit\":0,\"sampling\":{\"seed\":%d,\"logit_bias\":{\"0\":-100}},\"logprobs\":1%s".formatted(
                            number, follows() ? ",\"weights\":\"follow\",\"kv\":\"recompute\"" : ""));
            accept(socket);
        }

        void resume(TestClient socket, int credit) throws InterruptedException {
            socket.send("{\"type\":\"resume\",\"id\":\"%s\",\"stream\":\"%s\",\"after_seq\":%d,\"credit\":%d}".formatted(
                    id(), handle, tokens.size() - 1, credit));
            accept(socket);
        }

        private void accept(TestClient socket) throws InterruptedException {
            ServerMessage answer = socket.next();
            assertTrue(answer instanceof ServerMessage.Accepted a && a.resume() != null, "stream " + number + ": " + answer);
            ServerMessage.Accepted accepted = (ServerMessage.Accepted) answer;
            handle = String.valueOf(accepted.resume());
            assertEquals(number, accepted.seed());
        }

        void read(TestClient socket, int count) throws InterruptedException {
            for (int i = 0; i < count; i++) {
                ServerMessage message = socket.next();
                assertTrue(message instanceof ServerMessage.Token, "stream " + number + ": " + message);
                tokens.add((ServerMessage.Token) message);
            }
        }
    }

    @Test
    void shouldJoinToWhatAnUndisturbedStreamSays() throws Exception {
        long seed = Long.getLong("tidestream.seed", System.nanoTime());
        System.out.println("ResumeIT: -Dtidestream.seed=" + seed);
        List<Client> undisturbed = run("calm", null);
        List<Client> disturbed = run("rough", new SplittableRandom(seed));
        System.out.printf("ResumeIT: streams=%d, drops=%d%n", STREAMS, drops);
        for (int i = 0; i < STREAMS; i++) {
            assertEquals(undisturbed.get(i).tokens, disturbed.get(i).tokens, "stream " + i);
        }
    }

    /**
     * Streams in stretches: the server is another process's after the first, the weights are others after the second, and both after the
     * third, which pinned streams do not live to see.
     *
     * @param random null for no drops and no restarts
     */
    private List<Client> run(String name, @Nullable RandomGenerator random) throws Exception {
        Path directory = Files.createDirectory(temp.resolve(name));
        List<Client> clients = new ArrayList<>();
        StartedServer server = start(directory);
        try {
            for (int stretch = 0; stretch < STRETCHES; stretch++) {
                if (stretch >= 2) {
                    update(server, stretch);
                }
                if (random != null && (stretch == 1 || stretch == 3)) {
                    server.close();
                    server = start(directory);
                }
                for (int i = 0; i < STREAMS; i++) {
                    if (stretch == 0) {
                        clients.add(new Client(i));
                    }
                    if (clients.get(i).follows() || stretch < 3) {
                        stretch(clients.get(i), server.port(), stretch, random);
                    }
                }
            }
        } finally {
            server.close();
        }
        return clients;
    }

    private static StartedServer start(Path directory) throws Exception {
        return new StartedServer(directory, "--shutdown-grace", "0", "--resume-window", "600", "--max-resumable", "1024",
                "--max-kept-versions", "100");
    }

    /** A connection of its own for each stretch, and one more after each drop. */
    private void stretch(Client client, int port, int stretch, @Nullable RandomGenerator random) throws InterruptedException {
        int left = client.upTo(stretch) - client.tokens.size();
        TestClient socket = new TestClient(port);
        if (client.tokens.isEmpty()) {
            client.begin(socket);
            socket.credit(client.id(), left);
        } else {
            client.resume(socket, left);
        }
        while (random != null && left > 1 && random.nextInt(STREAMS * STRETCHES) < DROPS) {
            client.read(socket, random.nextInt(left));
            drop(socket, random);
            left = client.upTo(stretch) - client.tokens.size();
            socket = new TestClient(port);
            client.resume(socket, left);
        }
        client.read(socket, left);
        drop(socket, random == null ? new SplittableRandom(client.number) : random);
    }

    /** With a close frame, or without a word. */
    private void drop(TestClient socket, RandomGenerator random) {
        drops++;
        if (random.nextBoolean()) {
            socket.abort();
        }
        socket.close();
    }

    private void update(StartedServer server, int number) throws Exception {
        ByteBuffer payload = ByteBuffer.allocate(4 + 4 * H).order(ByteOrder.LITTLE_ENDIAN).putInt(100 + number);
        for (int i = 0; i < H; i++) {
            payload.putFloat(0.01f * (i % 7) * number);
        }
        String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(payload.array()));
        Path file = Files.write(temp.resolve("payload"), payload.array());
        try (AdminClient admin = server.admin()) {
            long base = server.running().weightsVersion();
            admin.update(new AdminRequest.WeightsUpdate("r", "u" + number, base, "token_embd.weight", UpdateKind.ROWS,
                    List.of(1L, (long) H), PayloadType.F32, sha256, payload.capacity(), OptionalInt.empty(), null), file, progress -> { });
        }
    }

    @Test
    void shouldRefuseWhatCannotBeResumedAndLoseNothingElse() throws Exception {
        try (StartedServer server = start(Files.createDirectory(temp.resolve("server")));
                TestClient socket = new TestClient(server.port())) {
            Client client = new Client(1);
            client.begin(socket);
            socket.send("{\"type\":\"resume\",\"id\":\"x\",\"stream\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"after_seq\":-1}");
            assertFailed(socket, "x", ErrorCode.UNKNOWN_STREAM);
            socket.send("{\"type\":\"resume\",\"id\":\"s1\",\"stream\":\"%s\",\"after_seq\":-1}".formatted(client.handle));
            assertFailed(socket, "s1", ErrorCode.DUPLICATE_ID);
            socket.send("{\"type\":\"resume\",\"id\":\"x\",\"stream\":\"%s\",\"after_seq\":7}".formatted(client.handle));
            assertFailed(socket, "x", ErrorCode.INVALID_VALUE);
            socket.send("{\"type\":\"resume\",\"id\":\"x\",\"stream\":\"%s\",\"after_seq\":-2}".formatted(client.handle));
            assertFailed(socket, "x", ErrorCode.INVALID_VALUE);
            socket.credit("s1", 3);
            client.read(socket, 3);
            try (TestClient other = new TestClient(server.port())) {
                client.resume(other, 2);
                assertFailed(socket, "s1", ErrorCode.RESUMED);
                client.read(other, 2);
                other.cancel("s1");
                assertNotNull(other.untilFinished("s1"));
            }
            socket.generate("s1", "free again", 1, "");
            assertNotNull(socket.untilFinished("s1"));
        }
    }

    private static void assertFailed(TestClient socket, String id, ErrorCode code) throws InterruptedException {
        ServerMessage message = socket.next();
        assertTrue(message instanceof ServerMessage.Failed f && id.equals(f.id()) && f.code() == code, String.valueOf(message));
    }
}

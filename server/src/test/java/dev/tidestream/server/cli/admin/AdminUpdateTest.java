package dev.tidestream.server.cli.admin;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ServerWebSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.cli.Run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Payloads of updates on their way to a server that follows a script. */
@Timeout(180)
class AdminUpdateTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final int STALLING_BYTES = 256 << 20; // more than all socket buffers on the way take

    @TempDir
    Path folder;

    /** Acknowledges an update when all its bytes are here, with the checksum of what came. */
    private static final class Complete implements AdminScript.Scene {
        private final Buffer received = Buffer.buffer();
        private final List<Integer> frames = new ArrayList<>();
        private AdminRequest.WeightsUpdate update = update("none", 4);

        @Override
        public void request(ServerWebSocket socket, AdminRequest request) {
            if (request instanceof AdminRequest.WeightsUpdate weightsUpdate) {
                update = weightsUpdate;
            } else {
                socket.writeTextMessage(AdminScript.ack(request, 3, ""));
            }
        }

        @Override
        public void payload(ServerWebSocket socket, Buffer frame) {
            received.appendBuffer(frame);
            frames.add(frame.length());
            socket.writeTextMessage("{\"type\":\"progress\",\"ref\":\"%s\",\"stage\":\"receiving\",\"done\":%d,\"of\":%d}"
                    .formatted(update.ref(), received.length(), update.byteLength()));
            if (received.length() == update.byteLength()) {
                socket.writeTextMessage(AdminScript.ack(update, update.baseVersion() + 1,
                        ",\"got\":\"%s\"".formatted(sha256(received.getBytes()))));
            }
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static AdminRequest.WeightsUpdate update(String ref, long bytes) {
        return new AdminRequest.WeightsUpdate(ref, "id-" + ref, 1, "t", UpdateKind.REPLACE, List.of(bytes / 4), PayloadType.F32,
                "0".repeat(64), bytes, OptionalInt.empty(), null);
    }

    private static AdminClient connect(AdminScript server) throws Exception {
        return AdminClient.connect(URI.create(server.url() + "/v1/admin"), AdminScript.TOKEN, TIMEOUT);
    }

    /** A file of zeros that takes no room on the disk. */
    private Path zeros(long bytes) throws IOException {
        Path path = folder.resolve("zeros");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(bytes);
        }
        return path;
    }

    @Test
    void shouldSendThePayloadWhole() throws Exception {
        byte[] bytes = new byte[3 * AdminClient.FRAME_BYTES + 4];
        new Random(1).nextBytes(bytes);
        Path payload = Files.write(folder.resolve("payload"), bytes);
        Path token = Files.writeString(folder.resolve("token"), AdminScript.TOKEN);
        Complete scene = new Complete();
        try (AdminScript server = new AdminScript(scene)) {
            Run run = Run.of("admin", "update", "--tensor", "token_embd.weight", "--kind", "replace", "--shape",
                    Integer.toString(bytes.length / 4), "--dtype", "f32", "--payload", payload.toString(), "--update-id", "u-1",
                    "--url", server.url(), "--token-file", token.toString(), "--json");
            assertEquals(new Run(0, "{\"type\":\"ack\",\"ref\":\"update\",\"weights_version\":4,\"got\":\"%s\"}\n"
                    .formatted(sha256(bytes)), ""), run);
            assertEquals(new AdminRequest.WeightsStatus("status"), server.requests.poll());
            assertEquals(new AdminRequest.WeightsUpdate("update", "u-1", 3, "token_embd.weight", UpdateKind.REPLACE,
                    List.of(bytes.length / 4L), PayloadType.F32, sha256(bytes), bytes.length, OptionalInt.empty(), null),
                    server.requests.poll());
        }
        assertArrayEquals(bytes, scene.received.getBytes());
        assertEquals(List.of(AdminClient.FRAME_BYTES, AdminClient.FRAME_BYTES, AdminClient.FRAME_BYTES, 4), scene.frames);
    }

    @Test
    void shouldReportWhatIsSentAndWhatTheServerSays() throws Exception {
        List<AdminReply.Progress> progress = Collections.synchronizedList(new ArrayList<>());
        int bytes = 2 * AdminClient.FRAME_BYTES;
        try (AdminScript server = new AdminScript(new Complete()); AdminClient client = connect(server)) {
            assertEquals(2, client.update(update("a", bytes), zeros(bytes), progress::add).weightsVersion());
        }
        for (String stage : List.of("sending", "receiving")) {
            assertEquals(List.of((long) AdminClient.FRAME_BYTES, (long) bytes),
                    progress.stream().filter(p -> p.stage().equals(stage)).map(AdminReply.Progress::done).toList(), stage);
        }
    }

    @Test
    void shouldStopWhenTheServerRefusesAndReadsNoMore() throws Exception {
        AdminScript.Scene scene = (socket, request) -> {
            if (request instanceof AdminRequest.WeightsUpdate) {
                socket.pause();
                // By then, as a rule, the socket takes nothing more from the client.
                Vertx.currentContext().owner().setTimer(1000,
                        _ -> socket.writeTextMessage(AdminScript.failed(request, "disk_full", "no room")));
            }
        };
        try (AdminScript server = new AdminScript(scene); AdminClient client = connect(server)) {
            Path payload = zeros(STALLING_BYTES);
            AtomicLong sent = new AtomicLong();
            AdminFailedException refused = assertThrows(AdminFailedException.class,
                    () -> client.update(update("a", STALLING_BYTES), payload, p -> sent.set(p.done())));
            assertEquals(AdminErrorCode.DISK_FULL, refused.code());
            assertEquals("disk_full: no room", refused.getMessage());
            assertTrue(sent.get() < STALLING_BYTES, "sent=" + sent);
        }
    }

    @Test
    void shouldBeOfUseAfterARefusalInTheMiddle() throws Exception {
        AtomicLong received = new AtomicLong();
        AdminScript.Scene scene = new AdminScript.Scene() {
            private AdminRequest refused = update("none", 4);

            @Override
            public void request(ServerWebSocket socket, AdminRequest request) {
                if (request instanceof AdminRequest.WeightsUpdate) {
                    refused = request;
                } else {
                    socket.writeTextMessage(AdminScript.ack(request, 1, ""));
                }
            }

            @Override
            public void payload(ServerWebSocket socket, Buffer frame) {
                if (received.addAndGet(frame.length()) == 4L * AdminClient.FRAME_BYTES) {
                    socket.writeTextMessage(AdminScript.failed(refused, "non_finite", "NaN at 7"));
                } else if (received.get() > 4L * AdminClient.FRAME_BYTES) {
                    socket.writeTextMessage("{\"type\":\"failed\",\"code\":\"unexpected_binary\",\"message\":\"late\"}");
                }
            }
        };
        try (AdminScript server = new AdminScript(scene); AdminClient client = connect(server)) {
            Path payload = zeros(STALLING_BYTES);
            for (int round = 1; round <= 2; round++) {
                received.set(0);
                AdminFailedException refused = assertThrows(AdminFailedException.class,
                        () -> client.update(update("a", STALLING_BYTES), payload, _ -> {}));
                assertEquals(AdminErrorCode.NON_FINITE, refused.code());
                assertEquals(1, client.call(new AdminRequest.Stats("s" + round), _ -> {}).weightsVersion());
                assertTrue(received.get() < STALLING_BYTES, "received=" + received);
            }
        }
    }

    @Test
    void shouldSayThatTheServerClosedInTheMiddle() throws Exception {
        AdminScript.Scene scene = new AdminScript.Scene() {
            @Override
            public void request(ServerWebSocket socket, AdminRequest request) {}

            @Override
            public void payload(ServerWebSocket socket, Buffer frame) {
                socket.close((short) 1011, "broken");
            }
        };
        try (AdminScript server = new AdminScript(scene); AdminClient client = connect(server)) {
            Path payload = zeros(STALLING_BYTES);
            IOException e = assertThrows(IOException.class, () -> client.update(update("a", STALLING_BYTES), payload, _ -> {}));
            String message = String.valueOf(e.getMessage());
            assertTrue(message.startsWith("the server closed the connection: status=1011")
                    || message.startsWith("the connection broke: "), message);
            assertThrows(IOException.class, () -> client.call(new AdminRequest.Stats("s"), _ -> {}));
        }
    }

    @Test
    void shouldGiveUpWhenTheFileBecomesShorter() throws Exception {
        try (AdminScript server = new AdminScript(new Complete()); AdminClient client = connect(server)) {
            Path payload = zeros(100);
            IOException e = assertThrows(IOException.class, () -> client.update(update("a", 104), payload, _ -> {}));
            assertEquals("the payload has become shorter while it was sent: bytes=100, announced=104", e.getMessage());
            assertThrows(IOException.class, () -> client.call(new AdminRequest.Stats("s"), _ -> {}));
        }
    }
}

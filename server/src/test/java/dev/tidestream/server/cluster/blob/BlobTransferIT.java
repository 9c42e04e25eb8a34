package dev.tidestream.server.cluster.blob;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.cluster.blob.BlobException.Problem;
import dev.tidestream.server.cluster.peer.ClusterSecret;
import dev.tidestream.server.cluster.peer.PeerClient;
import dev.tidestream.server.cluster.peer.PeerServer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Blobs between two stores, over HTTP. */
class BlobTransferIT {
    private static final BlobStore.Limits LIMITS = new BlobStore.Limits(1 << 20, 4 << 20, 2);
    private static final byte[] BLOB = bytes(700_000, 1);
    private static final String SHA = Sha256.of(BLOB);

    @TempDir
    Path directory;

    private BlobStore here;
    private BlobStore there;
    private PeerServer server;
    private PeerClient peers;
    private BlobClient client;
    private URI node;

    private static byte[] bytes(int length, long seed) {
        byte[] bytes = new byte[length];
        new SplittableRandom(seed).nextBytes(bytes);
        return bytes;
    }

    @BeforeEach
    void start() throws IOException {
        here = BlobStore.open(directory.resolve("here"), LIMITS);
        there = BlobStore.open(directory.resolve("there"), LIMITS);
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        ClusterSecret secret = new ClusterSecret("a-secret-of-these-tests");
        server = PeerServer.start("127.0.0.1", port, secret, Map.of(BlobEndpoint.PATH, BlobEndpoint.of(there)));
        peers = new PeerClient(secret);
        client = new BlobClient(peers);
        node = URI.create("http://127.0.0.1:" + port);
    }

    @AfterEach
    void stop() {
        peers.close();
        server.close();
    }

    private static void receive(BlobStore store, byte[] bytes, int from, int to) throws IOException {
        try (BlobStore.Receiving receiving = store.receive(SHA, BLOB.length)) {
            receiving.write(ByteBuffer.wrap(bytes, from, to - from));
        }
    }

    @Test
    void shouldGiveAndGetBlobs() throws Exception {
        Path file = Files.write(directory.resolve("file"), BLOB);
        client.put(node, SHA, file);
        assertArrayEquals(BLOB, Files.readAllBytes(there.find(SHA).orElseThrow()));
        client.put(node, SHA, file);
        assertEquals(-1, client.receivedBytes(node, SHA));
        client.fetch(List.of(node), SHA, BLOB.length, here);
        assertArrayEquals(BLOB, Files.readAllBytes(here.find(SHA).orElseThrow()));
        assertEquals(BLOB.length, here.keptBytes());
        assertEquals(BLOB.length, there.keptBytes());
    }

    @Test
    void shouldGoOnWhereItStopped() throws Exception {
        Path file = Files.write(directory.resolve("file"), BLOB);
        receive(there, BLOB, 0, 300_000);
        assertEquals(300_000, client.receivedBytes(node, SHA));
        client.put(node, SHA, file);
        assertArrayEquals(BLOB, Files.readAllBytes(there.find(SHA).orElseThrow()));
        receive(here, BLOB, 0, 500_000);
        client.fetch(List.of(node), SHA, BLOB.length, here);
        assertArrayEquals(BLOB, Files.readAllBytes(here.find(SHA).orElseThrow()));
        assertEquals(BLOB.length, here.keptBytes());
    }

    /** What came before was damaged: it is found by the checksum, thrown away, and sent anew. */
    @Test
    void shouldNotKeepOtherBytes() throws Exception {
        Path file = Files.write(directory.resolve("file"), BLOB);
        receive(there, bytes(300_000, 2), 0, 300_000);
        client.put(node, SHA, file);
        assertArrayEquals(BLOB, Files.readAllBytes(there.find(SHA).orElseThrow()));
        Path other = Files.write(directory.resolve("other"), bytes(1_000, 3));
        String wrong = Sha256.of(new byte[] {1});
        IOException refused = assertThrows(IOException.class, () -> client.put(node, wrong, other));
        assertTrue(String.valueOf(refused.getCause()).contains("422"), refused::toString);
        assertTrue(there.find(wrong).isEmpty());
        assertEquals(0, there.receivedBytes(wrong));
    }

    @Test
    void shouldRefuseWhatIsTooMuchAndSayWhatIsMissing() throws Exception {
        byte[] large = bytes((1 << 20) + 1, 4);
        Path file = Files.write(directory.resolve("large"), large);
        IOException refused = assertThrows(IOException.class, () -> client.put(node, Sha256.of(large), file));
        assertTrue(String.valueOf(refused.getCause()).contains("413"), refused::toString);
        BlobException missing = assertThrows(BlobException.class, () -> client.fetch(List.of(node), SHA, BLOB.length, here));
        assertEquals(Problem.MISSING, missing.problem());
        try (BlobStore.Receiving _ = there.receive(SHA, BLOB.length)) {
            assertEquals(Problem.BUSY, assertThrows(BlobException.class, () -> there.receive(SHA, BLOB.length)).problem());
        }
        assertEquals(0, there.keptBytes());
    }

    @Test
    void shouldAnswerNobodyWithoutTheSecret() throws Exception {
        there.add(BLOB);
        try (PeerClient stranger = new PeerClient(new ClusterSecret("another-secret-of-tests"))) {
            HttpRequest.Builder request = stranger.request(node, BlobEndpoint.PATH + SHA, Duration.ofSeconds(10)).GET();
            assertEquals(401, stranger.send(request, HttpResponse.BodyHandlers.ofByteArray()).statusCode());
        }
    }

    /** As another name of the same file where it can be, so that it takes no room twice. */
    @Test
    void shouldTakeAFileOverAndFindItAgainAfterARestart() throws Exception {
        Path file = Files.write(directory.resolve("file"), BLOB);
        here.add(SHA, file);
        Files.delete(file);
        BlobStore again = BlobStore.open(directory.resolve("here"), LIMITS);
        assertTrue(Arrays.equals(BLOB, Files.readAllBytes(again.find(SHA).orElseThrow())));
        assertEquals(List.of(SHA), again.list());
        assertEquals(BLOB.length, again.keptBytes());
        assertFalse(BlobStore.isName("../" + SHA.substring(3)));
    }
}

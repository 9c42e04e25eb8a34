package dev.tidestream.server.cli;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.cli.admin.AdminClient;
import dev.tidestream.server.epoch.EpochStatus;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A real server on the embedded model, changed under running streams, through its sockets. */
class LiveUpdatesIT {
    private static final int CHANGES = Integer.getInteger("tidestream.changes", 200);
    private static final int V = 4096;
    private static final int H = 256;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int CHANGES_OF_A_ROUND = 24; // every mode, every kind
    private static final long LEAK_BYTES = 100L << 20; // a copy of the embedding takes 1 MB, of its transpose 4
    private static final long PAGE_BYTES = 4096;
    private static final int PINNED_TOKENS = 2 * CHANGES / 3 + 16; // a credit every third change, so that they are there to the end
    private static final int SLOW_TOKENS = CHANGES / 2 + 16;
    private static final List<String> PINNED = List.of("p0", "p1", "p2", "p3");
    private static final List<String> FOLLOWING = List.of("keep0", "keep1", "recompute0", "recompute1");

    private static final List<OptimizationMode> MODES =
            List.of(OptimizationMode.TRANSPOSE_PER_STEP, OptimizationMode.CACHED_TRANSPOSE, OptimizationMode.PACKED);

    @TempDir
    Path temp;

    @SuppressWarnings("NullAway.Init") // before each test
    private StartedServer server;

    @SuppressWarnings("NullAway.Init") // before each test
    private AdminClient admin;

    private int requests;

    @BeforeEach
    void serve() throws Exception {
        server = new StartedServer(temp, "--max-live-versions", "6");
        admin = server.admin();
    }

    @AfterEach
    void stop() {
        admin.close();
        server.close();
    }

    /** What came of a stream. */
    private static final class Received {
        final List<Integer> tokens = new ArrayList<>();
        final List<Long> versions = new ArrayList<>();
        ServerMessage.@Nullable Finished finished;
    }

    @Test
    void shouldKeepEveryStreamWholeThroughTogglesAndUpdates() throws Exception {
        long seed = Long.getLong("tidestream.seed", System.nanoTime());
        System.out.println("LiveUpdatesIT: -Dtidestream.seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        long bytesAtStart = server.running().first().familyBytes();
        Map<String, List<Integer>> expected = undisturbed();
        Map<String, Received> received = new HashMap<>();
        try (TestClient client = new TestClient(server.port()); TestClient slow = new TestClient(server.port(), false)) {
            for (String id : PINNED) {
                client.generate(id, "Once upon a time", PINNED_TOKENS, sampling(id) + ",\"credit\":1");
            }
            for (String id : FOLLOWING) {
                String kv = id.startsWith("keep") ? "keep" : "recompute";
                client.generate(id, "Once upon a time", 60,
                        sampling(id) + ",\"credit\":1,\"weights\":\"follow\",\"kv\":\"" + kv + "\"");
            }
            slow.generate("slow", "Once upon a time", SLOW_TOKENS, sampling("slow") + ",\"credit\":1");
            collect(client, received, PINNED.size() + FOLLOWING.size(), stream -> true);
            long residentBytes = 0;
            for (int change = 0; change < 2 * CHANGES; change++) {
                change(change, random);
                give(change, client, slow);
                residentBytes = change == Math.min(CHANGES_OF_A_ROUND, CHANGES) ? residentBytesBesideHeap() : residentBytes;
            }
            assertEquals(PINNED.size() + 1, leasesOf(1), "pinned streams and the slow one are there to the end");
            assertEquals(FOLLOWING.size() + PINNED.size() + 1,
                    server.running().epochs().live().stream().mapToInt(EpochStatus::leases).sum());
            returnsTo(residentBytes + LEAK_BYTES);
            PINNED.forEach(id -> client.credit(id, 1000));
            FOLLOWING.forEach(id -> client.credit(id, 1000));
            collect(client, received, PINNED.size() + FOLLOWING.size(), stream -> stream.finished != null);
            slow.credit("slow", 1000);
            slow.read();
            collect(slow, received, 1, stream -> stream.finished != null);
        }
        assertEquals(CHANGES + 1, server.running().weightsVersion());
        check(received, expected);
        returnsToTheStart(bytesAtStart);
        assertEquals(expected, undisturbed(), "the weights are those of the start, to the bit");
    }

    /** A stream that computes its cache anew does so once for all changes in between. */
    private static void give(int change, TestClient client, TestClient slow) {
        if (change % 3 == 0) {
            PINNED.forEach(id -> client.credit(id, 1));
        }
        if (change % 4 == 0) {
            slow.read(1);
            slow.credit("slow", 1);
        }
        if (change % 8 == 0) {
            FOLLOWING.forEach(id -> client.credit(id, 1));
        }
    }

    private int leasesOf(long version) {
        return server.running().epochs().live().stream()
                .filter(epoch -> epoch.weightsVersion() == version).mapToInt(EpochStatus::leases).sum();
    }

    /** Of this process: weights and derived layouts, and all else that is not the heap, nor was part of it a moment ago. */
    private static long residentBytesBesideHeap() throws IOException {
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        memory.gc();
        return residentBytes() - memory.getHeapMemoryUsage().getCommitted();
    }

    /** The collector gives the system back what it needs no more of the heap, but not at once. */
    private static void returnsTo(long wantedBytes) throws IOException {
        long endNs = System.nanoTime() + PATIENCE.toNanos();
        long bytes = residentBytesBesideHeap();
        while (bytes > wantedBytes && System.nanoTime() - endNs < 0) {
            bytes = residentBytesBesideHeap();
        }
        assertTrue(bytes <= wantedBytes, "resident beside the heap: bytes=%d, wanted=%d".formatted(bytes, wantedBytes));
    }

    /** 0 on a system that does not say. */
    private static long residentBytes() throws IOException {
        Path statm = Path.of("/proc/self/statm");
        return Files.isReadable(statm) ? Long.parseLong(Files.readString(statm).split(" ", -1)[1]) * PAGE_BYTES : 0;
    }

    private Map<String, List<Integer>> undisturbed() throws InterruptedException {
        Map<String, Received> received = new HashMap<>();
        try (TestClient client = new TestClient(server.port())) {
            PINNED.forEach(id -> client.generate(id, "Once upon a time", PINNED_TOKENS, sampling(id)));
            client.generate("slow", "Once upon a time", SLOW_TOKENS, sampling("slow"));
            collect(client, received, 5, stream -> stream.finished != null);
        }
        Map<String, List<Integer>> tokens = new HashMap<>();
        received.forEach((id, stream) -> tokens.put(id, stream.tokens));
        return tokens;
    }

    private static String sampling(String id) {
        return ",\"sampling\":{\"temperature\":0.9,\"top_k\":40,\"seed\":\"%d\",\"logit_bias\":{\"0\":-100}}".formatted(id.hashCode());
    }

    /** Reads until so many streams are as wanted; every frame is checked against the ones before. */
    private static void collect(
            TestClient client, Map<String, Received> received, int streams, Predicate<Received> wanted)
            throws InterruptedException {
        Set<String> there = new HashSet<>();
        received.forEach((id, stream) -> {
            if (stream.finished == null && wanted.test(stream)) {
                there.add(id);
            }
        });
        while (there.size() < streams) {
            String id = switch (client.next()) {
                case ServerMessage.Accepted a -> {
                    received.put(a.id(), new Received());
                    yield a.id();
                }
                case ServerMessage.Token t -> {
                    Received stream = stream(received, t.id());
                    assertEquals(stream.tokens.size(), t.seq(), t.id());
                    stream.tokens.add(t.token());
                    stream.versions.add(t.weightsVersion());
                    yield t.id();
                }
                case ServerMessage.Finished f -> {
                    stream(received, f.id()).finished = f;
                    yield f.id();
                }
                case ServerMessage.Progress p -> p.id();
                case ServerMessage.Failed f -> throw new AssertionError(f.toString());
                case ServerMessage.WeightsChanged w -> throw new AssertionError(w.toString());
            };
            if (wanted.test(stream(received, id))) {
                there.add(id);
            }
        }
    }

    private static Received stream(Map<String, Received> received, String id) {
        Received stream = received.get(id);
        if (stream == null) {
            throw new AssertionError("a frame before accepted: id=" + id);
        }
        return stream;
    }

    private void change(int number, SplittableRandom random) throws Exception {
        if (number % 2 == 0) {
            OptimizationMode mode = MODES.get(number / 2 % MODES.size());
            AdminReply.Ack ack = admin.call(new AdminRequest.OptimizationSet(ref(), mode, true), progress -> {});
            assertEquals(mode.wireName(), ack.details().get("mode"));
            return;
        }
        long base = number / 2 + 1L;
        AdminReply.Ack ack = switch (number / 2 % 4) { // every kind, every type of payload
            case 0 -> update(base, "token_embd.weight", UpdateKind.ROWS, PayloadType.F32, List.of(3L, (long) H), 0,
                    ints(number % V, (number + 7) % V, (number + 90) % V), floats(3 * H, 0.1f, random));
            case 1 -> update(base, "token_embd.weight", UpdateKind.LOW_RANK, PayloadType.F32, List.of((long) V, (long) H), 2,
                    floats(2 * V, 0.01f, random), floats(2 * H, 0.01f, random));
            case 2 -> update(base, "blk.1.attn_q.weight", UpdateKind.REPLACE, PayloadType.BF16, List.of((long) H, (long) H), 0,
                    upperHalves(floats(H * H, 0.05f, random)));
            default -> update(base, "token_embd.weight", UpdateKind.DELTA, PayloadType.F16, List.of((long) V, (long) H), 0,
                    halves(floats(V * H, 0.001f, random)));
        };
        assertEquals(base + 1, ack.weightsVersion());
    }

    private AdminReply.Ack update(
            long base, String tensor, UpdateKind kind, PayloadType dtype, List<Long> shape, int rank, byte[]... parts) throws Exception {
        ByteBuffer all = ByteBuffer.allocate(Arrays.stream(parts).mapToInt(part -> part.length).sum());
        for (byte[] part : parts) {
            all.put(part);
        }
        Path payload = Files.write(temp.resolve("payload"), all.array());
        String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(all.array()));
        return admin.update(new AdminRequest.WeightsUpdate(ref(), "u" + base, base, tensor, kind, shape, dtype, sha256,
                all.capacity(), rank == 0 ? OptionalInt.empty() : OptionalInt.of(rank), null), payload, progress -> {});
    }

    private String ref() {
        return "r" + requests++;
    }

    private static byte[] ints(int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int value : values) {
            bytes.putInt(value);
        }
        return bytes.array();
    }

    private static byte[] floats(int count, float scale, SplittableRandom random) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            bytes.putFloat((float) random.nextGaussian() * scale);
        }
        return bytes.array();
    }

    private static byte[] halves(byte[] floats) {
        ByteBuffer in = ByteBuffer.wrap(floats).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer out = ByteBuffer.allocate(floats.length / 2).order(ByteOrder.LITTLE_ENDIAN);
        while (in.hasRemaining()) {
            out.putShort(Float.floatToFloat16(in.getFloat()));
        }
        return out.array();
    }

    /** As bfloat16, cut off. */
    private static byte[] upperHalves(byte[] floats) {
        ByteBuffer in = ByteBuffer.wrap(floats).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer out = ByteBuffer.allocate(floats.length / 2).order(ByteOrder.LITTLE_ENDIAN);
        while (in.hasRemaining()) {
            out.putShort((short) (in.getInt() >>> 16));
        }
        return out.array();
    }

    private static void check(Map<String, Received> received, Map<String, List<Integer>> expected) {
        assertEquals(PINNED.size() + FOLLOWING.size() + 1, received.size());
        received.forEach((id, stream) -> {
            ServerMessage.Finished finished = Objects.requireNonNull(stream.finished, id);
            assertEquals(FinishReason.LENGTH, finished.reason(), id);
            assertEquals(stream.tokens.size(), finished.usage().completionTokens(), id);
            if (FOLLOWING.contains(id)) {
                assertEquals(60, stream.tokens.size(), id);
                for (int i = 1; i < stream.versions.size(); i++) {
                    assertTrue(stream.versions.get(i - 1) <= stream.versions.get(i), id + ": " + stream.versions);
                }
                assertEquals(CHANGES + 1, stream.versions.getLast(), id);
                assertTrue(stream.versions.stream().distinct().count() > CHANGES / 10, id + ": " + stream.versions);
            } else {
                assertEquals(List.of(1L), stream.versions.stream().distinct().toList(), id);
                assertEquals(expected.get(id), stream.tokens, id);
            }
        });
    }

    private void returnsToTheStart(long bytesAtStart) throws Exception {
        admin.call(new AdminRequest.OptimizationSet(ref(), OptimizationMode.PACKED, true), progress -> {});
        admin.call(new AdminRequest.WeightsRollback(ref(), 1), progress -> {});
        assertTrue(server.running().epochs().awaitFewerThan(2, PATIENCE), server.running().epochs().live().toString());
        assertEquals(bytesAtStart, server.running().epochs().live().getFirst().bytes());
        assertEquals(bytesAtStart, server.running().epochs().live().getFirst().ownBytes(), "nothing else holds a tensor");
    }
}

package dev.tidestream.server.cluster.follow;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminResult;
import dev.tidestream.server.admin.UpdatesDesk;
import dev.tidestream.server.admin.service.DeskFixture;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.VersionRecord;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.cluster.log.ClusterLog;
import dev.tidestream.server.cluster.log.Keeper;
import dev.tidestream.server.cluster.log.Keepers;
import dev.tidestream.server.cluster.log.Manifest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Nodes with a model each: what one of them is sent, all of them have, with the same bits. */
class NodeFollowerIT {
    private static final Duration RETRY = Duration.ofMillis(20);

    @TempDir
    Path directory;

    private final Map<String, Node> nodes = new LinkedHashMap<>();
    private Keepers keepers;

    @BeforeEach
    void start() throws Exception {
        keepers = new Keepers(directory, 3, 4);
        for (Keeper peer : keepers.peers()) {
            var _ = start(peer.id());
        }
        keepers.awaitLeader();
    }

    /** A log, a follower, a desk. */
    private final class Node implements AutoCloseable {
        final String id;
        final ClusterLog cluster;
        final NodeFollower follower;
        final DeskFixture desk;
        final AtomicInteger alarms = new AtomicInteger();

        Node(String id) throws Exception {
            this.id = id;
            cluster = keepers.start(id);
            follower = new NodeFollower(cluster, RETRY, alarms::incrementAndGet);
            desk = new DeskFixture(directory.resolve(id + "-data"), DeskFixture.Options.DEFAULT.with(follower.agreement()));
            follower.follow(desk.desk.agreed().orElseThrow());
        }

        List<VersionRecord> history() {
            return log().history();
        }

        UpdateLog log() {
            return Objects.requireNonNull(desk.log);
        }

        long applied() {
            return follower.state().applied();
        }

        @Override
        public void close() {
            follower.close();
            keepers.stop(id);
            desk.close();
        }
    }

    private Node start(String id) throws Exception {
        Node node = new Node(id);
        nodes.put(id, node);
        return node;
    }

    private Node node(String id) {
        return Optional.ofNullable(nodes.get(id)).orElseThrow();
    }

    @AfterEach
    void stop() {
        nodes.values().parallelStream().forEach(Node::close);
        keepers.close();
    }

    private void awaitApplied(long version) {
        Keepers.await("version %d on all nodes".formatted(version),
                () -> nodes.values().stream().allMatch(node -> node.applied() == version));
    }

    private void assertEqualBits() {
        float[][] expected = nodes.values().iterator().next().desk.embedding();
        for (Node node : nodes.values()) {
            assertTrue(Arrays.deepEquals(expected, node.desk.embedding()), node.id);
        }
    }

    private static DeskFixture.Update rows(String id, long base, int row) {
        return DeskFixture.rows(id, base, new int[] {row, row + 1}, DeskFixture.randomValues(2 * DeskFixture.HIDDEN, row));
    }

    @Test
    void shouldHaveEveryUpdateOnEveryNodeWithTheSameBits() throws Exception {
        assertInstanceOf(AdminResult.UpdateApplied.class, node("n1").desk.send(rows("one", 1, 3)).result());
        awaitApplied(2);
        assertInstanceOf(AdminResult.UpdateApplied.class, node("n2").desk.send(rows("two", 2, 30)).result());
        awaitApplied(3);
        assertInstanceOf(AdminResult.UpdateRepeated.class, node("n3").desk.send(rows("one", 1, 3)).result());
        assertEquals(AdminErrorCode.STALE_BASE_VERSION, DeskFixture.code(() -> node("n3").desk.send(rows("late", 2, 5))));
        node("n3").desk.rollback(2);
        awaitApplied(4);
        assertEqualBits();
        Keepers.await("publication", () -> nodes.values().stream().allMatch(node -> node.cluster.log().publishedVersion() == 4));
        List<VersionRecord> history = node("n1").history();
        nodes.values().forEach(node -> assertEquals(history, node.history(), node.id));
        nodes.values().forEach(node -> assertEquals(Optional.empty(), node.follower.state().problem(), node.id));

        push(4);
        awaitApplied(5);
        assertEqualBits();
        assertEquals(node("n1").history(), node("n3").history());
        catchUp(5);
    }

    private void push(long base) throws Exception {
        UpdatesDesk updates = node("n1").desk.desk.updates().orElseThrow();
        updates.open(new UpdatesDesk.Opening("push", base, "a label", Optional.empty()));
        byte[] part = full(DeskFixture.EMBEDDING, DeskFixture.randomValues(DeskFixture.VOCABULARY * DeskFixture.HIDDEN, 7));
        try (UpdatesDesk.PartUpload upload = updates.receive("push", 0, Sha256.of(part), part.length).orElseThrow()) {
            upload.accept(ByteBuffer.wrap(part));
            upload.finish();
        }
        assertEquals(base + 1, updates.commit("push", OptionalInt.of(1), Optional.empty()).version());
    }

    /** A safetensors file of one tensor. */
    private static byte[] full(String tensor, float[] values) {
        String header = "{\"%s\":{\"dtype\":\"F32\",\"shape\":[%d,%d],\"data_offsets\":[0,%d]}}".formatted(
                tensor, DeskFixture.VOCABULARY, DeskFixture.HIDDEN, 4 * values.length);
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + text.length + 4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(text.length).put(text);
        for (float value : values) {
            file.putFloat(value);
        }
        return file.array();
    }

    /** One that was away, and one that keeps no log. */
    private void catchUp(long base) throws Exception {
        node("n3").close();
        nodes.remove("n3");
        node("n1").desk.send(rows("four", base, 31));
        node("n1").desk.rollback(1);
        node("n1").desk.send(rows("five", base + 2, 50));
        var _ = start("n3");
        var _ = start("worker");
        awaitApplied(base + 3);
        assertEqualBits();
        assertEquals(node("n1").history(), node("worker").history());
        node("worker").desk.send(rows("six", base + 3, 60));
        awaitApplied(base + 4);
        assertEqualBits();
    }

    /** A version whose bits come out otherwise is not served; the node raises an alarm, and takes no changes. */
    @Test
    void shouldStopAtOtherBits() throws Exception {
        node("n1").desk.send(rows("one", 1, 3));
        awaitApplied(2);
        ClusterLog liar = keepers.start("liar");
        Keepers.await("what the liar copies", () -> liar.log().committedVersion() == 2);
        DeskFixture.Update update = rows("two", 2, 30);
        String payload = liar.blobs().add(update.payload());
        byte[] record = record(update);
        Manifest manifest = new Manifest("two", 2, "", node("n1").desk.file.sha256(), List.of(
                new Manifest.Part(liar.blobs().add(record), record.length, Manifest.PartKind.RECORD),
                new Manifest.Part(payload, update.payload().length, Manifest.PartKind.PAYLOAD)),
                Sha256.of(new byte[] {1}), OptionalLong.empty(), "liar", Instant.EPOCH);
        assertEquals(3, Keepers.get(liar.log().propose(manifest)).version());
        Keepers.await("alarms", () -> nodes.values().stream().allMatch(node -> node.alarms.get() == 1));
        for (Node node : nodes.values()) {
            assertTrue(node.follower.state().diverged(), node.id);
            assertTrue(node.follower.state().problem().orElseThrow().contains("version 3 has other bits here"), node.id);
            assertEquals(2, node.applied(), node.id);
        }
        assertEquals(AdminErrorCode.INTERNAL, DeskFixture.code(() -> node("n2").desk.send(rows("three", 2, 5))));
        assertFalse(node("n2").log().find("three").isPresent());
    }

    private static byte[] record(DeskFixture.Update update) throws IOException {
        return VersionRecord.Updated.of(update.spec(), Instant.EPOCH).toJson();
    }
}

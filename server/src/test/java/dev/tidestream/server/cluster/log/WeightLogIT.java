package dev.tidestream.server.cluster.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.LongStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminErrorCode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Three keepers in one JVM, the same for all tests; each test leaves three behind that run. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WeightLogIT {
    private static final int SNAPSHOT_ENTRIES = 16;
    private static final int MANY = 80;

    @TempDir
    static Path directory;

    private Keepers keepers;

    @BeforeAll
    void start() throws IOException {
        keepers = new Keepers(directory, 3, SNAPSHOT_ENTRIES);
        keepers.startAll();
        keepers.awaitLeader();
    }

    @AfterAll
    void stop() {
        keepers.close();
    }

    /** Blobs first, as a node does it. */
    private static Committed update(ClusterLog node, String id, long base) throws IOException {
        node.blobs().add(Manifests.payload(id));
        return Keepers.get(node.log().propose(Manifests.update(id, base)));
    }

    private void awaitBlobs(String id) {
        Keepers.await("the blobs of " + id, () -> keepers.all().stream().filter(ClusterLog::keeps).allMatch(
                node -> node.blobs().find(Manifests.update(id, 1).parts().getFirst().sha256()).isPresent()));
    }

    /** The newest version, known to all. */
    private long newest() {
        long newest = keepers.all().stream().mapToLong(node -> node.log().committedVersion()).max().orElseThrow();
        keepers.awaitEqual(newest);
        return newest;
    }

    @Test
    void shouldTellAllKeepersTheSameVersionsAndGiveThemTheBlobs() throws Exception {
        long base = newest();
        List<LogEntry> told = new CopyOnWriteArrayList<>();
        WeightLog log = keepers.follower().log();
        try (WeightLog.Following _ = log.follow(base, told::add)) {
            assertEquals(base + 1, update(keepers.follower(), "a", base).version());
            assertEquals(base + 2, update(keepers.get(keepers.awaitLeader()), "b", base + 1).version());
            assertEquals(AdminErrorCode.STALE_BASE_VERSION, Keepers.refused(log.propose(Manifests.rollback("late", base + 1, 1))));
            assertEquals(base + 3, Keepers.get(log.propose(Manifests.rollback("back", base + 2, 1))).version());
            assertTrue(Keepers.get(log.propose(Manifests.update("a", base))).repeated());
            assertEquals(base + 3, Keepers.get(log.publish(base + 3)));
            keepers.awaitEqual(base + 3);
            awaitBlobs("a");
            awaitBlobs("b");
            List<LogEntry> expected = List.of(new LogEntry.Version(base + 1, Manifests.update("a", base)),
                    new LogEntry.Version(base + 2, Manifests.update("b", base + 1)),
                    new LogEntry.Version(base + 3, Manifests.rollback("back", base + 2, 1)), new LogEntry.Published(base + 3));
            Keepers.await("all entries", () -> told.stream()
                    .filter(entry -> !(entry instanceof LogEntry.Published(long before)) || before > base).toList().equals(expected));
        }
    }

    /** A majority has the blobs, the leader goes, and what was under way is committed once. */
    @Test
    void shouldCommitOnceWhenTheLeaderGoesBetweenBlobsAndCommit() throws Exception {
        long base = newest();
        ClusterLog proposer = keepers.follower();
        String leader = keepers.awaitLeader();
        proposer.blobs().add(Manifests.payload("under-way"));
        KeeperNode node = (KeeperNode) proposer.log();
        Proposals proposals = new Proposals(proposer.config(), proposer.copies(), () -> node.state().keepers(), command -> {
            keepers.stop(leader);
            return node.submit(command);
        });
        Committed committed = Keepers.get(proposals.propose(Manifests.update("under-way", base)));
        assertEquals(base + 1, committed.version());
        assertNotEquals(leader, keepers.awaitLeader());
        assertEquals(new Committed(base + 1, committed.manifest(), true),
                Keepers.get(proposer.log().propose(Manifests.update("under-way", base))));
        assertEquals(base + 2, update(proposer, "after-the-leader", base + 1).version());
        keepers.start(leader);
        keepers.awaitEqual(base + 2);
        awaitBlobs("under-way");
        awaitBlobs("after-the-leader");
    }

    /** With more entries than a snapshot waits for; of a log whose beginning is dropped, a new keeper gets a snapshot. */
    @Test
    void shouldKnowAllAfterARestartOfAllAndLetANewKeeperCatchUp() throws Exception {
        long base = newest();
        for (int i = 0; i < MANY; i++) {
            assertEquals(base + i + 1, update(keepers.get("n1"), "many-" + i, base + i).version());
        }
        long version = base + MANY;
        keepers.awaitEqual(version);
        String digest = keepers.get("n1").log().state().digest();
        keepers.close();
        keepers.startAll();
        keepers.awaitLeader();
        keepers.awaitEqual(version);
        assertEquals(digest, keepers.get("n2").log().state().digest());

        Keeper fourth = Keepers.peers("m", 1).getFirst();
        ClusterLog joined = keepers.join(fourth);
        LogState state = Keepers.get(keepers.get("n1").log().addKeeper(fourth));
        assertEquals(4, state.keepers().size());
        keepers.awaitEqual(version);
        List<Long> told = new CopyOnWriteArrayList<>();
        var _ = joined.log().follow(entry -> {
            if (entry instanceof LogEntry.Version(long one, Manifest _)) {
                told.add(one);
            }
        });
        Keepers.await("all versions", () -> told.equals(LongStream.rangeClosed(2, version).boxed().toList()));
        awaitBlobs("many-79");
        assertEquals(version + 1, update(joined, "by-the-fourth", version).version());
        state = Keepers.get(keepers.get("n1").log().removeKeeper("m1"));
        assertEquals(List.of("n1", "n2", "n3"), state.keepers().stream().map(Keeper::id).toList());
        keepers.stop("m1");
    }

    @Test
    void shouldRefuseInAMinorityAndGoOnWhenItIsHealed() throws Exception {
        long base = newest();
        String id = keepers.follower().nodeId();
        keepers.stop(id);
        ClusterLog alone = keepers.add(keepers.config(id, Keepers.IMPATIENT));
        keepers.awaitEqual(base);
        List<String> others = keepers.peers().stream().map(Keeper::id).filter(other -> !other.equals(id)).toList();
        others.forEach(keepers::stop);
        alone.blobs().add(Manifests.payload("alone"));
        CompletionStage<Long> published = alone.log().publish(base);
        assertEquals(AdminErrorCode.NO_QUORUM, Keepers.refused(alone.log().propose(Manifests.update("alone", base))));
        assertEquals(AdminErrorCode.NO_QUORUM, Keepers.refused(published));
        assertEquals(base, alone.log().committedVersion());
        keepers.start(others.getFirst());
        keepers.awaitLeader();
        assertEquals(base + 1, update(keepers.get(others.getFirst()), "healed", base).version());
        keepers.start(others.getLast());
        keepers.awaitEqual(base + 1);
        keepers.stop(id); // the other tests need patient ones
        keepers.start(id);
        keepers.awaitLeader();
        keepers.awaitEqual(base + 1);
    }

    /** A node that keeps no log proposes and follows by way of those that do, and of another when one is gone. */
    @Test
    void shouldServeNodesThatKeepNone() throws Exception {
        long base = newest();
        String leader = keepers.awaitLeader();
        ClusterLog remote = keepers.start("worker");
        Keepers.await("what is committed", () -> remote.log().committedVersion() == base);
        List<LogEntry> told = new CopyOnWriteArrayList<>();
        var _ = remote.log().follow(base, told::add);
        assertEquals(base + 1, update(remote, "remote", base).version());
        assertEquals(base + 2, update(keepers.get(leader), "local", base + 1).version());
        Keepers.await("two versions", () -> told.contains(new LogEntry.Version(base + 2, Manifests.update("local", base + 1))));
        assertEquals(base + 2, Keepers.get(remote.log().publish(base + 2)));
        keepers.stop(leader);
        assertEquals(AdminErrorCode.UPDATE_CONFLICT, Keepers.refused(remote.log().propose(Manifests.rollback("remote", base + 2, 1))));
        assertEquals(base + 3, update(remote, "elsewhere", base + 2).version());
        Keepers.await("all entries", () -> told.contains(new LogEntry.Version(base + 3, Manifests.update("elsewhere", base + 2)))
                && told.contains(new LogEntry.Published(base + 2)));
        assertTrue(remote.fetch(Manifests.update("local", base + 1).parts().getFirst()).toFile().isFile());
        keepers.stop("worker");
        keepers.start(leader);
        keepers.awaitEqual(base + 3);
    }
}

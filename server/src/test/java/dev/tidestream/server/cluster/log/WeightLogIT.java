package dev.tidestream.server.cluster.log;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.LongStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminErrorCode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Three keepers in one JVM. */
class WeightLogIT {
    @TempDir
    Path directory;

    private Keepers keepers;

    private void start(int snapshotEntries) throws IOException {
        keepers = new Keepers(directory, 3, snapshotEntries);
        keepers.startAll();
    }

    @AfterEach
    void stop() {
        keepers.close();
    }

    /** Blobs first, as a node does it. */
    private static Committed update(ClusterLog node, String id, long base) throws IOException {
        node.blobs().add(Manifests.payload(id));
        return Keepers.get(node.log().propose(Manifests.update(id, base)));
    }

    private void awaitBlobs(String id) {
        Keepers.await("the blobs of " + id, () -> keepers.all().stream().allMatch(
                node -> node.blobs().find(Manifests.update(id, 1).parts().getFirst().sha256()).isPresent()));
    }

    @Test
    void shouldTellAllKeepersTheSameVersionsAndGiveThemTheBlobs() throws Exception {
        start(1_000);
        List<LogEntry> told = new CopyOnWriteArrayList<>();
        WeightLog follower = keepers.follower().log();
        var _ = follower.follow(told::add);
        assertEquals(2, update(keepers.follower(), "a", 1).version());
        assertEquals(3, update(keepers.get(keepers.awaitLeader()), "b", 2).version());
        assertEquals(AdminErrorCode.STALE_BASE_VERSION, Keepers.refused(follower.propose(Manifests.rollback("late", 2, 1))));
        assertEquals(4, Keepers.get(follower.propose(Manifests.rollback("back", 3, 2))).version());
        assertTrue(Keepers.get(follower.propose(Manifests.update("a", 1))).repeated());
        assertEquals(4, Keepers.get(follower.publish(4)));
        keepers.awaitEqual(4);
        awaitBlobs("a");
        awaitBlobs("b");
        List<LogEntry> expected = List.of(new LogEntry.Version(2, Manifests.update("a", 1)), new LogEntry.Version(3, Manifests.update("b", 2)),
                new LogEntry.Version(4, Manifests.rollback("back", 3, 2)), new LogEntry.Published(4));
        Keepers.await("all entries", () -> told.equals(expected));
    }

    /** A majority has the blobs, the leader goes, and what was under way is committed once, or not at all. */
    @Test
    void shouldCommitOnceWhenTheLeaderGoesBetweenBlobsAndCommit() throws Exception {
        start(1_000);
        ClusterLog proposer = keepers.follower();
        String leader = keepers.awaitLeader();
        assertEquals(2, update(proposer, "a", 1).version());
        proposer.blobs().add(Manifests.payload("b"));
        KeeperNode node = (KeeperNode) proposer.log();
        Proposals proposals = new Proposals(proposer.config(), proposer.copies(), () -> node.state().keepers(), command -> {
            keepers.stop(leader);
            return node.submit(command);
        });
        Committed committed = Keepers.get(proposals.propose(Manifests.update("b", 2)));
        assertEquals(3, committed.version());
        assertNotEquals(leader, keepers.awaitLeader());
        assertEquals(new Committed(3, committed.manifest(), true), Keepers.get(proposer.log().propose(Manifests.update("b", 2))));
        assertEquals(4, update(proposer, "c", 3).version());
        keepers.start(leader);
        keepers.awaitEqual(4);
        awaitBlobs("b");
        awaitBlobs("c");
    }

    @Test
    void shouldKnowAllAfterARestartOfAll() throws Exception {
        start(3);
        keepers.awaitLeader();
        for (long version = 1; version <= 10; version++) {
            assertEquals(version + 1, update(keepers.get("n1"), "u" + version, version).version());
        }
        keepers.awaitEqual(11);
        String digest = keepers.get("n1").log().state().digest();
        keepers.close();
        keepers.startAll();
        keepers.awaitLeader();
        keepers.awaitEqual(11);
        assertEquals(digest, keepers.get("n2").log().state().digest());
        assertEquals(12, update(keepers.get("n3"), "after", 11).version());
    }

    /** Of a log whose beginning is dropped, a new keeper gets a snapshot. */
    @Test
    void shouldLetANewKeeperCatchUpAndAnOldOneLeave() throws Exception {
        start(4);
        keepers.awaitLeader();
        for (long version = 1; version <= 80; version++) {
            assertEquals(version + 1, update(keepers.get("n1"), "u" + version, version).version());
        }
        keepers.awaitEqual(81);
        Keeper fourth = Keepers.peers("m", 1).getFirst();
        ClusterLog joined = keepers.join(fourth);
        LogState state = Keepers.get(keepers.get("n1").log().addKeeper(fourth));
        assertEquals(4, state.keepers().size());
        keepers.awaitEqual(81);
        List<Long> told = new CopyOnWriteArrayList<>();
        var _ = joined.log().follow(entry -> {
            if (entry instanceof LogEntry.Version(long version, Manifest _)) {
                told.add(version);
            }
        });
        Keepers.await("all versions", () -> told.equals(LongStream.rangeClosed(2, 81).boxed().toList()));
        awaitBlobs("u80");
        String gone = "n3";
        state = Keepers.get(keepers.get("n1").log().removeKeeper(gone));
        assertEquals(List.of("m1", "n1", "n2"), state.keepers().stream().map(Keeper::id).toList());
        keepers.stop(gone);
        assertEquals(82, update(joined, "last", 81).version());
    }

    @Test
    void shouldRefuseInAMinorityAndGoOnWhenItIsHealed() throws Exception {
        keepers = new Keepers(directory, 3, 1_000);
        KeeperConfig.Timing impatient = new KeeperConfig.Timing(Duration.ofMillis(300), Duration.ofSeconds(2), Duration.ofMillis(50));
        for (Keeper peer : keepers.peers()) {
            keepers.add(keepers.config(peer.id(), impatient));
        }
        ClusterLog alone = keepers.follower();
        assertEquals(2, update(alone, "a", 1).version());
        keepers.awaitEqual(2);
        List<String> others = new ArrayList<>(keepers.peers().stream().map(Keeper::id).filter(id -> !id.equals(alone.nodeId())).toList());
        others.forEach(keepers::stop);
        alone.blobs().add(Manifests.payload("b"));
        assertEquals(AdminErrorCode.NO_QUORUM, Keepers.refused(alone.log().propose(Manifests.update("b", 2))));
        assertEquals(AdminErrorCode.NO_QUORUM, Keepers.refused(alone.log().publish(2)));
        assertEquals(2, alone.log().committedVersion());
        keepers.start(others.getFirst());
        keepers.awaitLeader();
        assertEquals(3, Keepers.get(alone.log().propose(Manifests.update("b", 2))).version());
        keepers.start(others.getLast());
        keepers.awaitEqual(3);
    }

    /** A node that keeps no log proposes and follows by way of those that do, and of another when one is gone. */
    @Test
    void shouldServeNodesThatKeepNone() throws Exception {
        start(1_000);
        String leader = keepers.awaitLeader();
        ClusterLog remote = keepers.start("worker");
        List<LogEntry> told = new CopyOnWriteArrayList<>();
        var _ = remote.log().follow(told::add);
        assertEquals(2, update(remote, "a", 1).version());
        assertEquals(3, update(keepers.get(leader), "b", 2).version());
        Keepers.await("two versions", () -> told.size() == 2);
        assertEquals(3, Keepers.get(remote.log().publish(3)));
        keepers.stop(leader);
        assertEquals(AdminErrorCode.UPDATE_CONFLICT, Keepers.refused(remote.log().propose(Manifests.rollback("a", 3, 1))));
        assertEquals(4, update(remote, "c", 3).version());
        Keepers.await("all entries", () -> told.contains(new LogEntry.Version(4, Manifests.update("c", 3)))
                && told.contains(new LogEntry.Published(3)));
        assertTrue(remote.fetch(Manifests.update("b", 2).parts().getFirst()).toFile().isFile());
    }
}

package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.checkpoint.CheckpointWriter;
import dev.tidestream.server.admin.store.directory.DataDirException;
import dev.tidestream.server.admin.store.directory.FaultyStorage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Pruning under crashes, lost writes and failing disks: all payloads are there, or what stands in for those that are not. */
class PruneCrashTest {
    private static final int LOSSES_PER_STEP = 5;

    private static UpdateLog open(FaultyStorage storage) throws DataDirException {
        return UpdateLog.open(storage, Updates.BASE, UpdateLogLimits.DEFAULT, InstantSource.system());
    }

    /** Versions 2 to 6 and 8 have payloads; 7 is 3 again. */
    private static FaultyStorage history() throws Exception {
        FaultyStorage storage = new FaultyStorage();
        try (UpdateLog log = open(storage)) {
            for (long base = 1; base < 6; base++) {
                Updates.commit(log, Updates.delta("u" + base, base));
            }
            log.rollback(3, 6);
            Updates.commit(log, Updates.delta("u7", 7));
        }
        return storage.afterKill();
    }

    private static long prune(UpdateLog log, long from) throws AdminException, IOException {
        boolean done = false;
        try {
            for (long base : log.rebuilds().basesFor(from)) {
                log.rebuilds().checkpoint(base, Updates.tensors(base), CheckpointWriter.Pacer.NONE);
            }
            long bytes = log.rebuilds().prune(from);
            done = true;
            return bytes;
        } finally {
            if (!done) {
                log.rebuilds().pruneNothing();
            }
        }
    }

    private static Set<String> payloads(FaultyStorage storage) {
        return storage.list().stream().filter(file -> file.startsWith("payload-")).map(file -> file.split("-", -1)[1])
                .collect(Collectors.toSet());
    }

    @Test
    void shouldKeepWhatNewerVersionsNeedAndDropTheRest() throws Exception {
        FaultyStorage storage = history();
        List<VersionRecord> records;
        try (UpdateLog log = open(storage)) {
            records = log.history();
            assertEquals(4L * Updates.BYTES, prune(log, 5));
            assertEquals(Set.of("6", "8"), payloads(storage));
            assertEquals(Set.of(5L, 7L), log.rebuilds().checkpoints(), "5 is the oldest, 7 is one that is not kept");
            assertGone(log, 2, 3, 4);
            assertEquals(AdminErrorCode.VERSION_GONE, code(() -> log.rollback(4, 8)));
        }
        try (UpdateLog log = open(storage.afterKill())) {
            assertEquals(records, log.history());
            assertEquals(new ReplayPlan(7, log.rebuilds().plan(8).steps()), log.rebuilds().plan(8));
            assertEquals(List.of("u7"), log.rebuilds().plan(8).updates().stream().map(VersionRecord.WithPayload::updateId).toList());
            assertEquals(List.of("u5"), log.rebuilds().plan(6).updates().stream().map(VersionRecord.WithPayload::updateId).toList());
            assertEquals(5, log.rebuilds().plan(5).from());
            assertEquals(1, log.rebuilds().plan(1).from());
            assertGone(log, 2, 3, 4);
            assertEquals(4, log.find("u3").orElseThrow().weightsVersion(), "its name is taken still");
            assertEquals(9, log.rollback(6, 8).weightsVersion());
            assertEquals(List.of("u5"), log.rebuilds().plan(9).updates().stream().map(VersionRecord.WithPayload::updateId).toList());
            assertEquals(10, log.rollback(1, 9).weightsVersion());
        }
    }

    @Test
    void shouldPruneAgainAndForgetBasesThatNobodyNeeds() throws Exception {
        FaultyStorage storage = history();
        try (UpdateLog log = open(storage)) {
            prune(log, 5);
            log.rollback(6, 8); // 9
            Updates.commit(log, Updates.delta("u9", 9)); // 10
            assertEquals(2L * Updates.BYTES, prune(log, 8));
            assertEquals(Set.of("10"), payloads(storage));
            assertEquals(Set.of(8L, 9L), log.rebuilds().checkpoints());
            assertGone(log, 2, 5, 6, 7);
            log.rebuilds().checkpoint(10, Updates.tensors(10), CheckpointWriter.Pacer.NONE);
            for (long base = 10; base < 13; base++) {
                Updates.commit(log, Updates.delta("u" + base, base));
                log.rebuilds().checkpoint(base + 1, Updates.tensors(base + 1), CheckpointWriter.Pacer.NONE);
            }
            assertEquals(Set.of(8L, 9L, 12L, 13L), log.rebuilds().checkpoints(), "two of those that may go, and those that may not");
        }
        try (UpdateLog log = open(storage.afterKill())) {
            assertEquals(Set.of(8L, 9L, 12L, 13L), log.rebuilds().checkpoints());
            assertEquals(13, log.rebuilds().plan(13).from());
        }
    }

    @Test
    void shouldHaveAllOrWhatStandsInForItAfterACrashAtAnyStep() throws Exception {
        long seed = Long.getLong("tidestream.seed", 20261201L);
        System.out.println("PruneCrashTest: -Dtidestream.seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        Set<Set<String>> seen = new HashSet<>();
        int steps = steps();
        assertTrue(steps > 20, "steps=" + steps);
        for (int step = 0; step < steps; step++) {
            for (boolean before : new boolean[] {true, false}) {
                FaultyStorage storage = history();
                UpdateLog log = open(storage);
                List<VersionRecord> records = log.history();
                storage.crashAt(step, before);
                assertThrows(FaultyStorage.Crash.class, () -> prune(log, 5));
                String where = "seed=%d, step %d of %d, before=%b".formatted(seed, step, steps, before);
                seen.add(check(storage.afterKill(), records, where));
                for (int i = 0; i < LOSSES_PER_STEP; i++) {
                    seen.add(check(storage.afterPowerLoss(random), records, where));
                }
            }
        }
        assertEquals(Set.of(Set.of("2", "3", "4", "5", "6", "8"), Set.of("6", "8")), seen);
    }

    private static int steps() throws Exception {
        FaultyStorage storage = history();
        try (UpdateLog log = open(storage)) {
            storage.failAt(-1, 0, false, "");
            prune(log, 5);
            return storage.operations();
        }
    }

    /** Opens what is left: the whole list, a way to the newest version, no litter; and it goes on. Returns the payloads. */
    private static Set<String> check(FaultyStorage storage, List<VersionRecord> records, String where) throws Exception {
        Set<String> payloads;
        try (UpdateLog log = open(storage)) {
            payloads = payloads(storage);
            assertEquals(records, log.history(), where);
            for (long version : new long[] {5, 6, 7, 8}) {
                ReplayPlan plan = log.rebuilds().plan(version);
                log.rebuilds().requireSound(plan);
                assertTrue(plan.from() == 1 || log.rebuilds().checkpoints().contains(plan.from()), where);
            }
            if (payloads.size() == 2) {
                assertGone(log, 2, 3, 4);
            } else {
                log.rebuilds().requireSound(log.rebuilds().plan(4));
            }
            assertTrue(storage.list().stream().noneMatch(file -> file.endsWith(".tmp")), where);
            assertEquals(payloads.size() == 2 ? 0 : 4L * Updates.BYTES, prune(log, 5), where);
            assertEquals(Set.of("6", "8"), payloads(storage), where);
            Updates.commit(log, Updates.delta("more", 8));
        }
        return payloads;
    }

    @Test
    void shouldRefuseWhenTheDiskFailsAndGoOnAsBefore() throws Exception {
        int steps = steps();
        for (int step = 0; step < steps; step++) {
            FaultyStorage storage = history();
            try (UpdateLog log = open(storage)) {
                storage.failAt(step, 1, true, "No space left on device");
                boolean refused = false;
                try {
                    prune(log, 5);
                } catch (AdminException | IOException e) {
                    refused = true;
                }
                assertEquals(refused, !log.rebuilds().isGone(4), "step " + step);
                log.rebuilds().requireSound(log.rebuilds().plan(8));
                Updates.commit(log, Updates.delta("more", 8));
            }
            try (UpdateLog log = open(storage.afterKill())) {
                assertEquals(9, log.currentVersion(), "step " + step);
                log.rebuilds().requireSound(log.rebuilds().plan(9));
            }
        }
    }

    @Test
    void shouldNotOpenWithoutWhatStandsInForPrunedVersions() throws Exception {
        FaultyStorage storage = history();
        try (UpdateLog log = open(storage)) {
            prune(log, 5);
        }
        String base = storage.list().stream().filter(file -> file.startsWith("checkpoint-5-")).findFirst().orElseThrow();
        FaultyStorage missing = storage.afterKill();
        missing.delete(base);
        DataDirException e = assertThrows(DataDirException.class, () -> open(missing.afterKill()));
        assertEquals(DataDirException.Problem.CHECKPOINT_UNUSABLE, e.problem());
        FaultyStorage other = storage.afterKill();
        byte[] content = other.content(base);
        content[8]++; // the version of the layout
        other.put(base, content);
        e = assertThrows(DataDirException.class, () -> open(other));
        assertEquals(DataDirException.Problem.CHECKPOINT_UNUSABLE, e.problem());
        assertTrue(other.list().contains(base), "the program that has written it can read it");
    }

    @Test
    void shouldRefuseAManifestThatPrunesWhatIsNeeded() throws Exception {
        FaultyStorage storage = history();
        try (UpdateLog log = open(storage)) {
            prune(log, 5);
        }
        Manifest manifest = Manifest.parse(storage.content(UpdateLog.MANIFEST));
        assertEquals(new Compaction(List.of(5L, 7L)), manifest.compaction());
        for (List<Long> bases : List.of(List.of(5L), List.of(5L, 6L, 7L), List.of(1L), List.of(9L), List.<Long>of(), List.of(7L, 5L))) {
            byte[] wrong = new Manifest(manifest.baseSha256(), manifest.versions(), manifest.held(), new Compaction(bases)).toBytes();
            assertThrows(IllegalArgumentException.class, () -> Manifest.parse(wrong), bases.toString());
        }
        Manifest rowsOnly = new Manifest(Updates.BASE, List.of(new VersionRecord.Updated(2,
                Updates.spec("a", 1, "t", UpdateKind.DELTA), Manifest.payloadName(2, Updates.spec("a", 1, "t", UpdateKind.DELTA).sha256()),
                Instant.EPOCH)));
        assertEquals(rowsOnly, Manifest.parse(rowsOnly.toBytes()));
        assertEquals(new Compaction(List.of(2L)), Compaction.of(rowsOnly.versions(), 2));
    }

    private interface Refused {
        void run() throws AdminException;
    }

    private static AdminErrorCode code(Refused call) {
        return assertThrows(AdminException.class, call::run).code();
    }

    private static void assertGone(UpdateLog log, long... versions) {
        for (long version : versions) {
            assertTrue(log.rebuilds().isGone(version), "version " + version);
            assertEquals(AdminErrorCode.VERSION_GONE, code(() -> log.rebuilds().plan(version)));
        }
    }
}

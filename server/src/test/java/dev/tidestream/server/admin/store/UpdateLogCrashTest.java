package dev.tidestream.server.admin.store;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.directory.DataDirException;
import dev.tidestream.server.admin.store.directory.FaultyStorage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Every single operation on the disk fails, or is the last one, in turn. */
class UpdateLogCrashTest {
    private static final InstantSource CLOCK = InstantSource.fixed(Instant.parse("2026-11-23T05:00:00Z"));
    private static final int LOSSES_PER_STEP = 40;

    private interface Change {
        VersionRecord run(UpdateLog log) throws AdminException;
    }

    private static final List<Change> CHANGES = List.of(
            log -> Updates.commit(log, Updates.delta("third", 3)), log -> log.rollback(1, 3));

    @Test
    void shouldShowTheOldOrTheNewStateAfterACrashAtAnyStep() throws Exception {
        long seed = Long.getLong("tidestream.seed", 20261123L);
        System.out.println("UpdateLogCrashTest: -Dtidestream.seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        Set<Long> versionsSeen = new HashSet<>();
        for (Change change : CHANGES) {
            int steps = stepsOf(change);
            for (int step = 0; step < steps; step++) {
                for (boolean before : new boolean[] {true, false}) {
                    FaultyStorage storage = withTwoVersions();
                    UpdateLog log = open(storage);
                    List<VersionRecord> acknowledged = log.history();
                    storage.crashAt(step, before);
                    assertThrows(FaultyStorage.Crash.class, () -> change.run(log));
                    String where = "seed=%d, step %d of %d, before=%b".formatted(seed, step, steps, before);
                    versionsSeen.add(check(storage.afterKill(), acknowledged, where));
                    for (int i = 0; i < LOSSES_PER_STEP; i++) {
                        versionsSeen.add(check(storage.afterPowerLoss(random), acknowledged, where));
                    }
                }
            }
        }
        assertEquals(Set.of(3L, 4L), versionsSeen);
    }

    @Test
    void shouldKeepWhatWasAcknowledgedWhenThePowerGoes() throws Exception {
        SplittableRandom random = new SplittableRandom(7);
        for (Change change : CHANGES) {
            FaultyStorage storage = withTwoVersions();
            UpdateLog log = open(storage);
            change.run(log);
            for (int i = 0; i < 100; i++) {
                try (UpdateLog after = open(storage.afterPowerLoss(random))) {
                    assertEquals(log.history(), after.history());
                }
            }
        }
    }

    @Test
    void shouldSurviveACrashAtAnyStepOfTheFirstStart() throws Exception {
        SplittableRandom random = new SplittableRandom(8);
        FaultyStorage counting = new FaultyStorage();
        open(counting).close();
        for (int step = 0; step < counting.operations(); step++) {
            for (boolean before : new boolean[] {true, false}) {
                FaultyStorage storage = new FaultyStorage();
                storage.crashAt(step, before);
                assertThrows(FaultyStorage.Crash.class, () -> open(storage));
                for (int i = 0; i < LOSSES_PER_STEP; i++) {
                    check(storage.afterPowerLoss(random), List.of(), "step " + step);
                }
            }
        }
    }

    @Test
    void shouldSurviveACrashAtAnyStepOfTheCleaning() throws Exception {
        SplittableRandom random = new SplittableRandom(9);
        for (int step = 0; step < 4; step++) {
            FaultyStorage storage = withTwoVersions();
            storage.put(UpdateLog.MANIFEST_TEMP, new byte[3]);
            storage.put("spool-7.tmp", new byte[3]);
            storage.put(Manifest.payloadName(4, Updates.BASE), new byte[3]);
            List<VersionRecord> acknowledged = historyOf(storage.afterKill());
            storage.crashAt(step, false);
            assertThrows(FaultyStorage.Crash.class, () -> open(storage));
            for (int i = 0; i < LOSSES_PER_STEP; i++) {
                check(storage.afterPowerLoss(random), acknowledged, "step " + step);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldRefuseAndCleanUpWhenAnyStepFails(boolean before) throws Exception {
        for (Change change : CHANGES) {
            int steps = stepsOf(change);
            for (int step = 0; step < steps; step++) {
                FaultyStorage storage = withTwoVersions();
                UpdateLog log = open(storage);
                List<VersionRecord> old = log.history();
                List<String> oldFiles = storage.list();
                byte[] oldManifest = storage.content(UpdateLog.MANIFEST);
                String where = "step %d of %d, before=%b".formatted(step, steps, before);

                storage.failAt(step, 1, before, "No space left on device");
                AdminException refused = assertThrows(AdminException.class, () -> change.run(log), where);
                assertEquals(AdminErrorCode.DISK_FULL, refused.code(), where);
                assertEquals(old, log.history(), where);
                assertEquals(oldFiles, storage.list(), where);
                assertArrayEquals(oldManifest, storage.content(UpdateLog.MANIFEST), where);
                assertEquals(old, historyOf(storage.afterPowerLoss(new SplittableRandom(step))), where);

                assertEquals(4, change.run(log).weightsVersion(), where);
                assertEquals(log.history(), historyOf(storage.afterKill()), where);
            }
        }
    }

    @Test
    void shouldNeverLieWhenTheDiskFailsForGood() throws Exception {
        int stoppedForGood = 0;
        for (Change change : CHANGES) {
            int steps = stepsOf(change);
            for (int step = 0; step < steps; step++) {
                FaultyStorage storage = withTwoVersions();
                UpdateLog log = open(storage);
                List<VersionRecord> old = log.history();
                String where = "from step %d of %d".formatted(step, steps);

                storage.failAt(step, Integer.MAX_VALUE / 2, false, "Input/output error");
                AdminException refused = assertThrows(AdminException.class, () -> change.run(log), where);
                assertEquals(AdminErrorCode.INTERNAL, refused.code(), where);
                assertEquals(old, log.history(), where);

                storage.failAt(-1, 0, false, "");
                try {
                    assertEquals(4, change.run(log).weightsVersion(), where);
                } catch (AdminException e) {
                    assertTrue(String.valueOf(e.getMessage()).contains("until the server is restarted"), e.getMessage());
                    stoppedForGood++;
                }
                check(storage.afterKill(), old, where);
            }
        }
        assertTrue(stoppedForGood > 0 && stoppedForGood < 8, "stoppedForGood=" + stoppedForGood);
    }

    private static int stepsOf(Change change) throws Exception {
        FaultyStorage storage = withTwoVersions();
        UpdateLog log = open(storage);
        storage.failAt(-1, 0, false, "");
        change.run(log);
        return storage.operations();
    }

    private static FaultyStorage withTwoVersions() throws Exception {
        FaultyStorage storage = new FaultyStorage();
        try (UpdateLog log = open(storage)) {
            Updates.commit(log, Updates.delta("first", 1));
            Updates.commit(log, Updates.delta("second", 2));
        }
        return storage.afterKill();
    }

    private static UpdateLog open(FaultyStorage storage) throws DataDirException {
        return UpdateLog.open(storage, Updates.BASE, UpdateLogLimits.DEFAULT, CLOCK);
    }

    private static List<VersionRecord> historyOf(FaultyStorage storage) throws DataDirException {
        try (UpdateLog log = open(storage)) {
            return log.history();
        }
    }

    /** Opens what is left: all that was acknowledged and at most one whole version more, no litter. Returns the version. */
    private static long check(FaultyStorage storage, List<VersionRecord> acknowledged, String where) throws Exception {
        try (UpdateLog log = open(storage)) {
            List<VersionRecord> history = log.history();
            assertTrue(history.size() <= acknowledged.size() + 1, where);
            assertEquals(acknowledged, history.subList(0, acknowledged.size()), where);
            List<String> expected = new ArrayList<>(List.of(UpdateLog.MANIFEST));
            for (VersionRecord version : history) {
                if (version instanceof VersionRecord.Updated u) {
                    assertArrayEquals(Updates.payload(u.spec().updateId()), storage.content(u.payloadFile()), where);
                    expected.add(u.payloadFile());
                }
            }
            assertEquals(expected, storage.list(), where);
            assertFalse(storage.list().contains(UpdateLog.MANIFEST_TEMP), where);
            long version = log.currentVersion();
            VersionRecord next = Updates.commit(log, Updates.delta("next", version));
            assertEquals(version + 1, next.weightsVersion(), where);
            return version;
        }
    }
}

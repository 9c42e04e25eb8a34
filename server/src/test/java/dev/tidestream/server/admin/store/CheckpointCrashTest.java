package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.locks.ReentrantLock;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.OwnedTensor;
import dev.tidestream.server.admin.store.checkpoint.CheckpointException;
import dev.tidestream.server.admin.store.checkpoint.CheckpointFormat;
import dev.tidestream.server.admin.store.checkpoint.CheckpointWriter;
import dev.tidestream.server.admin.store.directory.DataDirException;
import dev.tidestream.server.admin.store.directory.FaultyStorage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Every single operation on the disk fails, or is the last one, in turn, while a checkpoint is written and while it is found again. */
class CheckpointCrashTest {
    private static final InstantSource CLOCK = InstantSource.fixed(Instant.parse("2026-11-23T05:00:00Z"));
    private static final int LOSSES_PER_STEP = 40;
    private static final String TENSOR = "token_embd.weight";

    /** A directory with so many versions, and checkpoints of some. */
    private static FaultyStorage with(int versions, int... checkpoints) throws Exception {
        FaultyStorage storage = new FaultyStorage();
        try (UpdateLog log = open(storage)) {
            for (long base = 1; base < versions; base++) {
                Updates.commit(log, Updates.delta("u" + base, base));
            }
            for (int version : checkpoints) {
                assertTrue(checkpoint(log, version));
            }
        }
        return storage.afterKill();
    }

    private static UpdateLog open(FaultyStorage storage) throws DataDirException {
        return UpdateLog.open(storage, Updates.BASE, UpdateLogLimits.DEFAULT, CLOCK);
    }

    /** What a version has, in more than one piece. */
    private static WeightTensor.Vector tensor(long version) {
        return tensor(version, 150 << 10);
    }

    private static WeightTensor.Vector tensor(long version, int bytes) {
        float[] values = new float[bytes / Float.BYTES];
        for (int i = 0; i < values.length; i++) {
            values[i] = version * 1000 + i % 997;
        }
        return new WeightTensor.Vector(TensorFormat.F32, values);
    }

    private static boolean checkpoint(UpdateLog log, long version) throws IOException {
        SequencedMap<String, WeightTensor> tensors = new LinkedHashMap<>(Map.of(TENSOR, tensor(version)));
        return log.rebuilds().checkpoint(version, tensors, CheckpointWriter.Pacer.NONE);
    }

    /** Versions of all that can be used; reads them all, and fails if one has other bits than were written. */
    private static Set<Long> usable(FaultyStorage storage, String where) throws Exception {
        Manifest manifest = Manifest.parse(storage.content(UpdateLog.MANIFEST));
        Checkpoints checkpoints = new Checkpoints(storage, new ReentrantLock());
        checkpoints.open(manifest);
        Set<Long> usable = new HashSet<>();
        for (long version : checkpoints.versions()) {
            Collection<CheckpointFormat.Part> parts = List.of(CheckpointFormat.Part.of(TENSOR, tensor(version)));
            try {
                Map<String, OwnedTensor> read =
                        checkpoints.read(manifest, version, parts, WorkerTeam.sequential(), (stage, done, of) -> {});
                assertEquals(Set.of(TENSOR), read.keySet(), where);
                OwnedTensor owned = read.values().iterator().next();
                assertArrayEquals(tensor(version).values(), ((WeightTensor.Vector) owned.tensor()).values(), where);
                usable.add(version);
            } catch (CheckpointException e) {
                throw new AssertionError(where + ": looks usable and is not", e);
            }
        }
        return usable;
    }

    private static int steps(FaultyStorage storage, long version) throws Exception {
        try (UpdateLog log = open(storage)) {
            storage.failAt(-1, 0, false, "");
            assertTrue(checkpoint(log, version));
            return storage.operations();
        }
    }

    @Test
    void shouldHaveTheOldOrTheNewOneAfterACrashAtAnyStep() throws Exception {
        long seed = Long.getLong("tidestream.seed", 20261130L);
        System.out.println("CheckpointCrashTest: -Dtidestream.seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        Set<Set<Long>> seen = new HashSet<>();
        int steps = steps(with(9, 3, 5), 9);
        assertTrue(steps > 14, "steps=" + steps); // pieces, forces, renames, and the removal of the oldest
        for (int step = 0; step < steps; step++) {
            for (boolean before : new boolean[] {true, false}) {
                FaultyStorage storage = with(9, 3, 5);
                UpdateLog log = open(storage);
                List<VersionRecord> history = log.history();
                storage.crashAt(step, before);
                assertThrows(FaultyStorage.Crash.class, () -> checkpoint(log, 9));
                String where = "seed=%d, step %d of %d, before=%b".formatted(seed, step, steps, before);
                seen.add(check(storage.afterKill(), history, where));
                for (int i = 0; i < LOSSES_PER_STEP; i++) {
                    seen.add(check(storage.afterPowerLoss(random), history, where));
                }
            }
        }
        assertEquals(Set.of(Set.of(3L, 5L), Set.of(5L, 9L)), seen);
    }

    /** Opens what is left: the whole history, checkpoints with the right bits, no litter; and it goes on. Returns what can be used. */
    private static Set<Long> check(FaultyStorage storage, List<VersionRecord> history, String where) throws Exception {
        Set<Long> usable;
        try (UpdateLog log = open(storage)) {
            assertEquals(history, log.history(), where);
            usable = log.rebuilds().checkpoints();
            assertTrue(usable.size() <= Checkpoints.KEPT, where);
            assertEquals(usable, usable(storage, where));
            assertEquals(usable.size() + history.size() + 1, storage.list().size(), where + ": " + storage.list());
            assertFalse(storage.list().contains(Checkpoints.TEMP), where);
            assertEquals(10, Updates.commit(log, Updates.delta("next", 9)).weightsVersion(), where);
            assertTrue(checkpoint(log, 10), where);
        }
        assertTrue(usable(storage.afterKill(), where).contains(10L), where);
        return usable;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldLeaveEverythingAsItWasWhenAnyStepFails(boolean before) throws Exception {
        int steps = steps(with(9, 3, 5), 9);
        for (int step = 0; step < steps; step++) {
            FaultyStorage storage = with(9, 3, 5);
            try (UpdateLog log = open(storage)) {
                List<VersionRecord> history = log.history();
                String where = "step %d of %d, before=%b".formatted(step, steps, before);
                storage.failAt(step, 1, before, "Input/output error");
                boolean written;
                try {
                    written = checkpoint(log, 9);
                } catch (IOException e) {
                    written = false;
                    assertEquals("Input/output error", e.getMessage(), where);
                }
                assertEquals(history, log.history(), where);
                assertFalse(storage.list().contains(Checkpoints.TEMP), where);
                Set<Long> usable = log.rebuilds().checkpoints();
                assertTrue(usable.contains(9L) || usable.equals(Set.of(3L, 5L)), where + ": " + usable);
                assertTrue(!written || usable.contains(9L), where);

                assertEquals(10, Updates.commit(log, Updates.delta("next", 9)).weightsVersion(), where + ": updates go on");
                assertTrue(checkpoint(log, 10), where);
                assertTrue(usable(storage.afterPowerLoss(new SplittableRandom(step)), where).contains(10L), where);
            }
        }
    }

    @Test
    void shouldSurviveACrashAtAnyStepOfTheCleaning() throws Exception {
        SplittableRandom random = new SplittableRandom(9);
        for (int step = 0; step < 5; step++) {
            FaultyStorage storage = with(9, 5, 9);
            storage.put(Checkpoints.TEMP, new byte[3]);
            storage.put("checkpoint-7-0123456789abcdef.bin", new byte[3]);
            storage.put("checkpoint-77-0123456789abcdef.bin", new byte[3]);
            storage.put("checkpoint-3-0123456789abcdef.bin", new byte[100]);
            List<VersionRecord> history;
            try (UpdateLog log = open(storage.afterKill())) {
                history = log.history();
            }
            storage.crashAt(step, false);
            assertThrows(FaultyStorage.Crash.class, () -> open(storage), "step " + step);
            for (int i = 0; i < LOSSES_PER_STEP; i++) {
                assertEquals(Set.of(5L, 9L), check(storage.afterPowerLoss(random), history, "step " + step));
            }
        }
    }

    @Test
    void shouldNotBeginOnADiskThatIsTooFull() throws Exception {
        FaultyStorage storage = with(9, 3, 5);
        try (UpdateLog log = open(storage)) {
            storage.usableBytes((256L << 20) + 1000);
            IOException refused = assertThrows(IOException.class, () -> checkpoint(log, 9));
            assertTrue(String.valueOf(refused.getMessage()).startsWith("the disk is too full: bytes="), refused.getMessage());
            assertEquals(Set.of(3L, 5L), log.rebuilds().checkpoints());
            assertFalse(storage.list().contains(Checkpoints.TEMP));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 64 << 10, (64 << 10) + 4, 1 << 20, (1 << 20) + 4, (2 << 20) + (100 << 10)})
    void shouldReadWhatWasWrittenWhateverItsLength(int bytes) throws Exception {
        FaultyStorage storage = with(9);
        SequencedMap<String, WeightTensor> tensors = new LinkedHashMap<>();
        tensors.put("a", tensor(1, bytes));
        tensors.put("b", tensor(2, 8));
        try (UpdateLog log = open(storage)) {
            assertTrue(log.rebuilds().checkpoint(9, tensors, CheckpointWriter.Pacer.NONE));
        }
        Manifest manifest = Manifest.parse(storage.content(UpdateLog.MANIFEST));
        Checkpoints checkpoints = new Checkpoints(storage, new ReentrantLock());
        checkpoints.open(manifest);
        List<CheckpointFormat.Part> parts = List.of(
                CheckpointFormat.Part.of("a", tensor(1, bytes)), CheckpointFormat.Part.of("b", tensor(2, 8)));
        List<Long> told = new ArrayList<>();
        Map<String, OwnedTensor> read =
                checkpoints.read(manifest, 9, parts, WorkerTeam.sequential(), (stage, done, of) -> told.add(of - done));
        for (CheckpointFormat.Part part : parts) {
            OwnedTensor owned = read.get(part.name());
            assertTrue(owned != null && owned.tensor() instanceof WeightTensor.Vector found
                    && tensors.get(part.name()) instanceof WeightTensor.Vector expected
                    && Arrays.equals(expected.values(), found.values()), part.name());
        }
        assertEquals(0, told.getLast());
        assertEquals(CheckpointFormat.chunks(parts), told.size());
    }

    /** What was never forced may be on the disk in part: such a file is not used, whatever its name. */
    @Test
    void shouldNotUseATornFile() throws Exception {
        FaultyStorage whole = with(9, 9);
        String name = whole.list().stream().filter(Checkpoints::isOurs).findFirst().orElseThrow();
        byte[] bytes = whole.content(name);
        SplittableRandom random = new SplittableRandom(3);
        List<byte[]> torn = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            byte[] zeroed = bytes.clone();
            Arrays.fill(zeroed, random.nextInt(bytes.length), bytes.length, (byte) 0);
            torn.add(zeroed);
            torn.add(Arrays.copyOf(bytes, random.nextInt(bytes.length)));
        }
        for (byte[] content : torn) {
            FaultyStorage storage = with(9);
            storage.put(name, content);
            Manifest manifest = Manifest.parse(storage.content(UpdateLog.MANIFEST));
            Checkpoints checkpoints = new Checkpoints(storage, new ReentrantLock());
            checkpoints.open(manifest);
            if (checkpoints.versions().contains(9L)) {
                assertThrows(CheckpointException.class, () -> checkpoints.read(manifest, 9,
                        List.of(CheckpointFormat.Part.of(TENSOR, tensor(9))), WorkerTeam.sequential(), (stage, done, of) -> {}));
            }
        }
    }
}

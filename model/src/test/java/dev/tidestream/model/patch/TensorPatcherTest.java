package dev.tidestream.model.patch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.PanelBytes;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** Every kind on every format at odd sizes; what keeps its bits; that no result depends on the team. */
class TensorPatcherTest {
    private static final long SEED = 20261124;

    static Stream<Arguments> everything() {
        int[][] floats = {{1, 1}, {31, 7}, {32, 64}, {33, 65}, {100, 172}};
        int[][] blocks = {{1, 32}, {32, 64}, {33, 96}, {97, 256}};
        List<Arguments> all = new ArrayList<>();
        for (TensorFormat format : PatchCases.FORMATS) {
            for (PatchKind kind : PatchKind.values()) {
                for (PatchDtype dtype : PatchDtype.values()) {
                    for (int[] shape : format.quantised() ? blocks : floats) {
                        all.add(Arguments.of(format, kind, dtype, shape[0], shape[1]));
                    }
                }
            }
        }
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("everything")
    void shouldDoWhatTheOracleDoesWhateverTheTeam(TensorFormat format, PatchKind kind, PatchDtype dtype, int rows, int columns) {
        SplittableRandom random = new SplittableRandom(SEED);
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix base = PatchCases.base(format, rows, columns, random, arena);
            PatchCases.Case patch = PatchCases.random(kind, dtype, base, random);
            PanelMatrix expected = PatchCases.checked(base, patch, arena, WorkerTeam.sequential(), "sequential, seed=" + SEED);
            PatchResult first = apply(base, patch.patch(), arena, WorkerTeam.sequential());
            for (WorkerTeam team : List.of(new BackwardsTeam(1), new BackwardsTeam(3), new ThreadPerRange())) {
                PatchResult result = apply(base, patch.patch(), arena, team);
                assertArrayEquals(PanelBytes.all(expected), PanelBytes.all(panels(result)));
                assertEquals(first.error(), result.error()); // to the bit
                assertEquals(first.changedRows(), result.changedRows());
                assertEquals(first.changedBlocks(), result.changedBlocks());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldKeepTheBitsOfRowsThatAreNotListed(TensorFormat format) {
        SplittableRandom random = new SplittableRandom(SEED + 1);
        int rows = 70;
        int columns = PatchCases.columns(format, 64);
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix base = PatchCases.base(format, rows, columns, random, arena);
            int[] ids = {69, 0, 31, 32, 5};
            float[][] values = new float[ids.length][columns];
            for (float[] row : values) {
                for (int k = 0; k < columns; k++) {
                    row[k] = 0.75f + k;
                }
            }
            var patch = new WeightPatch(PatchKind.ROWS, PatchCases.shape(ids.length, columns), PatchDtype.F32, 0,
                    PatchCases.payload(PatchDtype.F32, ids, values));
            PatchResult result = apply(base, patch, arena, WorkerTeam.sequential());
            float[] held = new float[columns];
            float[] now = new float[columns];
            for (int row = 0; row < rows; row++) {
                int r = row;
                boolean listed = Arrays.stream(ids).anyMatch(id -> id == r);
                assertEquals(listed, !PanelBytes.sameRow(base, panels(result), row), "row " + row);
                base.copyRow(row, held, 0);
                panels(result).copyRow(row, now, 0);
                assertEquals(listed, !Arrays.equals(held, now), "row " + row);
            }
            assertEquals(ids.length, result.changedRows());
            assertEquals((long) ids.length * columns, result.error().elements());
        }
    }

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldMakeAReplacementOfThePayloadAlone(TensorFormat format) {
        SplittableRandom random = new SplittableRandom(SEED + 7);
        int rows = 45;
        int columns = PatchCases.columns(format, 96);
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix base = PatchCases.base(format, rows, columns, random, arena);
            float[][] read = new float[rows][columns];
            for (int row = 0; row < rows; row++) {
                base.copyRow(row, read[row], 0);
            }
            PanelMatrix other = PatchCases.base(format, rows, columns, random, arena);
            var payload = PatchCases.payload(PatchDtype.F32, new int[0], read);
            var patch = new WeightPatch(PatchKind.REPLACE, PatchCases.shape(rows, columns), PatchDtype.F32, 0, payload);
            assertArrayEquals(
                    PanelBytes.all(panels(apply(base, patch, arena, WorkerTeam.sequential()))),
                    PanelBytes.all(panels(apply(other, patch, arena, WorkerTeam.sequential()))),
                    "seed " + SEED);
        }
    }

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldChangeNothingWhenPuttingBackWhatWasRead(TensorFormat format) {
        SplittableRandom random = new SplittableRandom(SEED + 2);
        int rows = 45;
        int columns = PatchCases.columns(format, 96);
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix base = PatchCases.base(format, rows, columns, random, arena);
            float[][] read = new float[rows][columns];
            for (int row = 0; row < rows; row++) {
                base.copyRow(row, read[row], 0);
            }
            int[] ids = PatchCases.ids(rows, rows, random);
            float[][] listed = Arrays.stream(ids).mapToObj(id -> read[id]).toArray(float[][]::new);
            assertUnchanged(base, PatchKind.ROWS, 0, PatchCases.payload(PatchDtype.F32, ids, listed), arena);
        }
    }

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldChangeNothingWhenAddingZerosOfEitherSign(TensorFormat format) {
        SplittableRandom random = new SplittableRandom(SEED + 3);
        int rows = 33;
        int columns = PatchCases.columns(format, 64);
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix base = PatchCases.base(format, rows, columns, random, arena);
            for (float zero : new float[] {0f, -0f}) {
                float[][] zeros = new float[rows][columns];
                for (float[] row : zeros) {
                    Arrays.fill(row, zero);
                }
                assertUnchanged(base, PatchKind.DELTA, 0, PatchCases.payload(PatchDtype.F32, new int[0], zeros), arena);
                float[][] factors = new float[(rows + columns) * 3][1];
                for (float[] row : factors) {
                    row[0] = zero;
                }
                assertUnchanged(base, PatchKind.LOW_RANK, 3, PatchCases.payload(PatchDtype.F32, new int[0], factors), arena);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "TQ1_0", "TQ2_0", "I2_S"})
    void shouldStoreASuperBlockInItsOwnFormatAndReportWhatThatLoses(TensorFormat format) {
        SplittableRandom random = new SplittableRandom(SEED + 9);
        int columns = 512;
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix base = PatchCases.base(format, 45, columns, random, arena);
            float[] listed = new float[columns];
            for (int k = 0; k < columns; k++) {
                listed[k] = (float) random.nextGaussian();
            }
            var patch = new WeightPatch(PatchKind.ROWS, PatchCases.shape(1, columns), PatchDtype.F32, 0,
                    PatchCases.payload(PatchDtype.F32, new int[] {44}, new float[][] {listed}));
            PatchResult result = apply(base, patch, arena, WorkerTeam.sequential());
            assertEquals(format, result.tensor().format());
            assertEquals(columns / format.blockElements(), result.changedBlocks());
            float[] stored = new float[columns];
            panels(result).copyRow(44, stored, 0);
            double max = 0;
            double sum = 0;
            for (int k = 0; k < columns; k++) {
                double error = Math.abs((double) stored[k] - listed[k]);
                max = Math.max(max, error);
                sum += error * error;
            }
            assertEquals(max, result.error().maxAbs());
            assertEquals(Math.sqrt(sum / columns), result.error().rms(), 1e-12);
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K", "TQ1_0", "TQ2_0"})
    void shouldRefuseAValueThatIsTooLargeForTheScale(TensorFormat format) {
        try (Arena arena = Arena.ofShared()) {
            int columns = PatchCases.columns(format, 32);
            PanelMatrix base = zeros(format, 2, columns, arena);
            float[][] values = new float[1][columns];
            values[0][5] = -Float.MAX_VALUE;
            var patch = new WeightPatch(PatchKind.ROWS, PatchCases.shape(1, columns), PatchDtype.F32, 0,
                    PatchCases.payload(PatchDtype.F32, new int[] {1}, values));
            var e = assertThrows(PatchException.class, () -> apply(base, patch, arena, WorkerTeam.sequential()));
            assertEquals(PatchException.Reason.NON_FINITE, e.reason());
        }
    }

    @Test
    void shouldStoreMinusZeroWhereAFormatHasIt() {
        try (Arena arena = Arena.ofShared()) {
            for (TensorFormat format : PatchCases.FORMATS) {
                PanelMatrix zeros = zeros(format, 2, 32, arena);
                float[][] minus = new float[2][32];
                for (float[] row : minus) {
                    Arrays.fill(row, -0f);
                }
                var patch = new WeightPatch(PatchKind.ROWS, PatchCases.shape(2, 32), PatchDtype.F32, 0,
                        PatchCases.payload(PatchDtype.F32, new int[] {0, 1}, minus));
                PatchResult result = apply(zeros, patch, arena, WorkerTeam.sequential());
                assertEquals(format.quantised() ? 0 : 64, result.changedBlocks(), format.name());
                assertEquals(0, result.error().maxAbs());
            }
        }
    }

    @Test
    void shouldReportWhatRoundingLoses() {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix base = zeros(TensorFormat.BF16, 1, 4, arena);
            float[][] values = {{1f, 1f + 0x1p-8f, 2f, 1f + 0x1p-9f}}; // a step of BF16 at 1 is 2^-7
            var patch = new WeightPatch(PatchKind.DELTA, PatchCases.shape(1, 4), PatchDtype.F32, 0,
                    PatchCases.payload(PatchDtype.F32, new int[0], values));
            RequantisationError error = apply(base, patch, arena, WorkerTeam.sequential()).error();
            assertEquals(new RequantisationError(0x1p-8, Math.sqrt((0x1p-16 + 0x1p-18) / 4), 4), error);
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"F32", "F16", "BF16"})
    void shouldPatchVectors(TensorFormat format) {
        SplittableRandom random = new SplittableRandom(SEED + 4);
        try (Arena arena = Arena.ofShared()) {
            for (PatchDtype dtype : PatchDtype.values()) {
                for (PatchKind kind : List.of(PatchKind.REPLACE, PatchKind.DELTA)) {
                    PanelMatrix oneRow = PatchCases.base(format, 1, 67, random, arena);
                    float[] values = new float[67];
                    oneRow.copyRow(0, values, 0);
                    float[] before = values.clone();
                    WeightPatch asRow = PatchCases.random(kind, dtype, oneRow, random).patch();
                    var patch = new WeightPatch(kind, List.of(67L), dtype, 0, asRow.payload());
                    PatchResult expected = apply(oneRow, asRow, arena, WorkerTeam.sequential());
                    PatchResult result = TensorPatcher.apply("blk.0.attn_norm.weight", new WeightTensor.Vector(format, values),
                            patch, arena, WorkerTeam.sequential(), PatchCases.PLAIN);
                    float[] row = new float[67];
                    panels(expected).copyRow(0, row, 0);
                    var vector = (WeightTensor.Vector) result.tensor();
                    assertArrayEquals(bits(row), bits(vector.values()));
                    assertArrayEquals(bits(before), bits(values));
                    assertEquals(format, vector.format());
                    assertEquals(expected.error().maxAbs(), result.error().maxAbs());
                    assertEquals(expected.error().rms(), result.error().rms(), expected.error().rms() * 1e-12);
                    assertEquals(expected.error().elements(), result.error().elements());
                    assertEquals(expected.changedRows(), result.changedRows());
                    assertEquals(expected.changedBlocks(), result.changedBlocks());
                }
            }
        }
    }

    @Test
    void shouldMultiplyOnePanelAtATime() {
        List<Integer> rows = Collections.synchronizedList(new ArrayList<>());
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix base = zeros(TensorFormat.F32, 70, 8, arena);
            WeightPatch patch = PatchCases.lowRank(PatchDtype.F32, 70, 8, 2, new SplittableRandom(SEED)).patch();
            TensorPatcher.apply("w", new WeightTensor.Matrix(base), patch, arena, WorkerTeam.sequential(),
                    (a, n, rank, b, columns, out) -> {
                        rows.add(n);
                        PatchCases.PLAIN.multiply(a, n, rank, b, columns, out);
                    });
        }
        assertEquals(List.of(32, 32, 6), rows);
    }

    private static void assertUnchanged(PanelMatrix base, PatchKind kind, int rank, MemorySegment payload, Arena arena) {
        var patch = new WeightPatch(kind, PatchCases.shape(base.rows(), base.columns()), PatchDtype.F32, rank, payload);
        PatchResult result = apply(base, patch, arena, WorkerTeam.sequential());
        assertArrayEquals(PanelBytes.all(base), PanelBytes.all(panels(result)), kind.name());
        assertEquals(0, result.changedRows());
        assertEquals(0, result.changedBlocks());
        assertEquals(new RequantisationError(0, 0, (long) base.rows() * base.columns()), result.error());
    }

    private static PatchResult apply(PanelMatrix base, WeightPatch patch, Arena arena, WorkerTeam team) {
        return TensorPatcher.apply("w", new WeightTensor.Matrix(base), patch, arena, team, PatchCases.PLAIN);
    }

    static PanelMatrix zeros(TensorFormat format, int rows, int columns, Arena arena) {
        return PanelPacker.pack("w", format, rows, columns,
                arena.allocate(format.format().fileBytes(rows, columns)), arena, WorkerTeam.sequential());
    }

    private static PanelMatrix panels(PatchResult result) {
        return ((WeightTensor.Matrix) result.tensor()).panels();
    }

    private static int[] bits(float[] values) {
        int[] out = new int[values.length];
        Arrays.setAll(out, i -> Float.floatToRawIntBits(values[i]));
        return out;
    }

    /** Real threads, two panels each. */
    private record ThreadPerRange() implements WorkerTeam {
        @Override
        public int size() {
            return 2;
        }

        @Override
        public void forEachRange(int items, int grain, RangeTask task) {
            var failure = new AtomicReference<@Nullable Throwable>();
            List<Thread> threads = new ArrayList<>();
            for (int from = 0; from < items; from += 2) {
                int first = from;
                threads.add(Thread.ofPlatform().uncaughtExceptionHandler((_, e) -> failure.set(e))
                        .start(() -> task.run(first, Math.min(first + 2, items))));
            }
            for (Thread thread : threads) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
            if (failure.get() != null) {
                throw new AssertionError(failure.get());
            }
        }
    }
}

package dev.tidestream.model.patch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.patch.PatchException.Reason;
import dev.tidestream.model.tensor.PanelBytes;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/**
 * What is refused, with which reason and words, and that nothing changes. The tensor is (70, 64) unless a test says
 * otherwise.
 */
class PatchRefusalTest {
    private static final int ROWS = 70;
    private static final int COLUMNS = 64;
    private static final long ELEMENTS = (long) ROWS * COLUMNS;
    private static final List<Long> SHAPE = PatchCases.shape(ROWS, COLUMNS);

    @SuppressWarnings("MustBeClosedChecker") // closed after each test
    private final Arena arena = Arena.ofShared();

    @AfterEach
    void close() {
        arena.close();
    }

    @Test
    void shouldRefuseAShapeThatIsNotTheTensors() {
        for (PatchKind kind : List.of(PatchKind.REPLACE, PatchKind.DELTA, PatchKind.LOW_RANK)) {
            for (List<Long> shape : List.of(List.<Long>of(), List.of(64L), List.of(64L, 70L), List.of(70L, 64L, 1L),
                    List.of(-70L, -64L), List.of(Long.MAX_VALUE, 64L), List.of(4480L))) {
                refused(Reason.INVALID_SHAPE, "shape is not the tensor's: tensor=w, kind=%s, shape=%s, expected=[70, 64]"
                        .formatted(kind, shape),
                        new WeightPatch(kind, shape, PatchDtype.F32, 1, arena.allocate(ROWS * COLUMNS * 4)));
            }
        }
    }

    @Test
    void shouldRefuseRowsOfAShapeThatDoesNotFit() {
        for (List<Long> shape : List.of(List.<Long>of(), List.of(1L), List.of(0L, 64L), List.of(-1L, 64L), List.of(71L, 64L),
                List.of(1L, 63L), List.of(1L, 64L, 1L), List.of(1L << 60, 64L))) {
            refused(Reason.INVALID_SHAPE, "shape does not fit the tensor: tensor=w, kind=ROWS, shape=%s, expected=[1 to 70, 64]"
                    .formatted(shape), new WeightPatch(PatchKind.ROWS, shape, PatchDtype.F32, 0, arena.allocate(260)));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 65, Integer.MAX_VALUE})
    void shouldRefuseARankThatDoesNotFit(int rank) {
        refused(Reason.INVALID_SHAPE, "rank does not fit the tensor: tensor=w, rank=%d, expected=1 to 64".formatted(rank),
                new WeightPatch(PatchKind.LOW_RANK, SHAPE, PatchDtype.F32, rank, arena.allocate(536)));
    }

    @ParameterizedTest
    @EnumSource(value = PatchKind.class, names = {"ROWS", "LOW_RANK"})
    void shouldRefuseKindsThatNeedAMatrixOnAVector(PatchKind kind) {
        float[] values = {1, 2, 3, 4};
        var patch = new WeightPatch(kind, List.of(4L), PatchDtype.F32, 1, arena.allocate(16));
        var base = new WeightTensor.Vector(TensorFormat.F32, values);
        PatchException e = assertThrows(PatchException.class, () -> apply(base, patch));
        assertEquals(Reason.INVALID_SHAPE, e.reason());
        assertEquals("kind needs a matrix: tensor=w, kind=%s, the tensor's shape=[4]".formatted(kind), e.getMessage());
    }

    @ParameterizedTest
    @EnumSource(PatchKind.class)
    void shouldRefuseEveryOtherLength(PatchKind kind) {
        for (PatchDtype dtype : PatchDtype.values()) {
            List<Long> shape = switch (kind) {
                case ROWS -> List.of(2L, 64L);
                case SPARSE -> List.of(5L);
                case REPLACE, DELTA, LOW_RANK -> SHAPE;
            };
            int expected = switch (kind) {
                case REPLACE, DELTA -> ROWS * COLUMNS * dtype.bytes();
                case ROWS -> 8 + 2 * COLUMNS * dtype.bytes();
                case LOW_RANK -> (ROWS + COLUMNS) * 3 * dtype.bytes();
                case SPARSE -> 5 * (8 + dtype.bytes());
            };
            for (int bytes : new int[] {0, 1, expected - 1, expected + 1, 2 * expected}) {
                refused(Reason.INVALID_LENGTH,
                        "payload has the wrong length: tensor=w, kind=%s, shape=%s, dtype=%s, rank=3, bytes=%d, expected=%d"
                                .formatted(kind, shape, dtype, bytes, expected),
                        new WeightPatch(kind, shape, dtype, 3, arena.allocate(bytes)));
            }
        }
    }

    @Test
    void shouldRefuseRowNumbers() {
        refusedRows("no such row: tensor=w, rows[1]=70, the tensor's rows=70", 0, 70, 1);
        refusedRows("no such row: tensor=w, rows[0]=-1, the tensor's rows=70", -1, 0, 1);
        refusedRows("no such row: tensor=w, rows[2]=-2147483648, the tensor's rows=70", 0, 1, Integer.MIN_VALUE);
        refusedRows("no such row: tensor=w, rows[0]=2147483647, the tensor's rows=70", Integer.MAX_VALUE, 0, 1);
        refusedRows("row is listed twice: tensor=w, rows[0]=rows[2]=69", 69, 3, 69);
        refusedRows("row is listed twice: tensor=w, rows[1]=rows[2]=0", 5, 0, 0);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void shouldRefuseValuesThatAreNotFinite(float value) {
        for (PatchDtype dtype : PatchDtype.values()) {
            for (int index : new int[] {0, 33 * COLUMNS + 5, ROWS * COLUMNS - 1}) {
                float[] values = new float[ROWS * COLUMNS];
                values[index] = value;
                for (PatchKind kind : List.of(PatchKind.REPLACE, PatchKind.DELTA)) {
                    refused(Reason.NON_FINITE, "payload value is not finite: tensor=w, dtype=%s, byte=%d, value=%s"
                            .formatted(dtype, index * dtype.bytes(), value), new WeightPatch(kind, SHAPE, dtype, 0,
                            PatchCases.payload(dtype, new int[0], new float[][] {values})));
                }
            }
            float[] row = new float[COLUMNS];
            row[63] = value;
            refused(Reason.NON_FINITE, "payload value is not finite: tensor=w, dtype=%s, byte=%d, value=%s"
                    .formatted(dtype, 8 + 127 * dtype.bytes(), value), new WeightPatch(PatchKind.ROWS, List.of(2L, 64L), dtype, 0,
                    PatchCases.payload(dtype, new int[] {68, 2}, new float[][] {new float[COLUMNS], row})));
            for (int index : new int[] {0, ROWS - 1, ROWS, ROWS + COLUMNS - 1}) {
                float[] factors = new float[ROWS + COLUMNS];
                factors[index] = value;
                refused(Reason.NON_FINITE, "payload value is not finite: tensor=w, dtype=%s, byte=%d, value=%s"
                        .formatted(dtype, index * dtype.bytes(), value), new WeightPatch(PatchKind.LOW_RANK, SHAPE, dtype, 1,
                        PatchCases.payload(dtype, new int[0], new float[][] {factors})));
            }
        }
    }

    @Test
    void shouldRefuseASumThatOverflows() {
        float[] values = new float[ROWS * COLUMNS];
        values[66 * COLUMNS + 40] = Float.MAX_VALUE;
        PanelMatrix base = replaced(TensorFormat.F32, values);
        assertRefused(base, Reason.NON_FINITE,
                "sum is not finite: tensor=w, row=66, column=40, held=3.4028235E38, added=3.4028235E38",
                whole(PatchKind.DELTA, values));
    }

    @Test
    void shouldRefuseAProductThatOverflows() {
        float[] factors = new float[ROWS + COLUMNS];
        factors[3] = -1e30f; // A, row 3
        factors[ROWS + 9] = 1e30f; // B, column 9
        refused(Reason.NON_FINITE, "sum is not finite: tensor=w, row=3, column=9, held=0.0, added=-Infinity",
                new WeightPatch(PatchKind.LOW_RANK, SHAPE, PatchDtype.F32, 1,
                        PatchCases.payload(PatchDtype.F32, new int[0], new float[][] {factors})));
    }

    @Test
    void shouldRefuseWhatTheFormatCannotHold() {
        refusedInFormat(TensorFormat.F16, 65520f, 65519f);
        refusedInFormat(TensorFormat.BF16, Float.MAX_VALUE, Float.intBitsToFloat(0x7f7f7fff));
        refusedInFormat(TensorFormat.Q8_0, 127f * 65520f, 127f * 65519f);
        refusedInFormat(TensorFormat.Q4_0, -8f * 65520f, -8f * 65519f);
    }

    @Test
    void shouldRefuseAVectorsValues() {
        float[] values = {1, 2, 65504, 4};
        var base = new WeightTensor.Vector(TensorFormat.F16, values);
        for (float[] added : new float[][] {{0, 0, 16, 0}, {0, Float.NaN, 0, 0}}) {
            var patch = new WeightPatch(PatchKind.DELTA, List.of(4L), PatchDtype.F32, 0,
                    PatchCases.payload(PatchDtype.F32, new int[0], new float[][] {added}));
            PatchException e = assertThrows(PatchException.class, () -> apply(base, patch));
            assertEquals(Reason.NON_FINITE, e.reason());
        }
        assertArrayEquals(new float[] {1, 2, 65504, 4}, values);
        assertThrows(IllegalArgumentException.class, () -> new WeightTensor.Vector(TensorFormat.Q8_0, new float[32]));
    }

    @Test
    void shouldNameTheSameValueWhateverTheTeam() {
        float[] values = new float[ROWS * COLUMNS];
        values[COLUMNS * 40] = Float.NaN;
        values[COLUMNS * 65] = Float.POSITIVE_INFINITY;
        PanelMatrix base = TensorPatcherTest.zeros(TensorFormat.Q8_0, ROWS, COLUMNS, arena);
        for (WorkerTeam team : List.of(WorkerTeam.sequential(), new BackwardsTeam(1), new BackwardsTeam(2))) {
            PatchException e = assertThrows(PatchException.class, () -> TensorPatcher.apply(
                    "w", new WeightTensor.Matrix(base), whole(PatchKind.DELTA, values), arena, team, PatchCases.PLAIN));
            assertEquals("payload value is not finite: tensor=w, dtype=F32, byte=10240, value=NaN", e.getMessage());
        }
    }

    /** {@code tooLarge} alone among zeros is refused, {@code largest} is stored. */
    private void refusedInFormat(TensorFormat format, float tooLarge, float largest) {
        float[] values = new float[ROWS * COLUMNS];
        PanelMatrix base = replaced(format, values);
        values[65 * COLUMNS + 35] = largest;
        replaced(format, values);
        values[65 * COLUMNS + 35] = tooLarge;
        assertRefused(base, Reason.NON_FINITE,
                "value is too large for the tensor's format: tensor=w, format=%s, row=65, column=35, wanted=%s"
                        .formatted(format, tooLarge), whole(PatchKind.REPLACE, values));
    }

    private PanelMatrix replaced(TensorFormat format, float[] values) {
        PanelMatrix zeros = TensorPatcherTest.zeros(format, ROWS, COLUMNS, arena);
        PatchResult result = apply(new WeightTensor.Matrix(zeros), whole(PatchKind.REPLACE, values));
        return ((WeightTensor.Matrix) result.tensor()).panels();
    }

    @Test
    void shouldRefusePlacesThatDoNotRiseOrAreNone() {
        sparse("no such element: tensor=w, places[1]=%d, the tensor's elements=%d".formatted(ELEMENTS, ELEMENTS), 3, ELEMENTS);
        sparse("no such element: tensor=w, places[0]=-1, the tensor's elements=%d".formatted(ELEMENTS), -1, 3);
        sparse("places must rise: tensor=w, places[1]=7, before=7", 7, 7);
        sparse("places must rise: tensor=w, places[1]=6, before=7", 7, 6);
    }

    private void sparse(String message, long first, long second) {
        MemorySegment payload = arena.allocate(24);
        payload.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, first);
        payload.set(ValueLayout.JAVA_LONG_UNALIGNED, 8, second);
        refused(Reason.INVALID_ROWS, message, new WeightPatch(PatchKind.SPARSE, List.of(2L), PatchDtype.F32, 0, payload));
    }

    private static WeightPatch whole(PatchKind kind, float[] values) {
        return new WeightPatch(kind, SHAPE, PatchDtype.F32, 0,
                PatchCases.payload(PatchDtype.F32, new int[0], new float[][] {values}));
    }

    private void refusedRows(String message, int... ids) {
        refused(Reason.INVALID_ROWS, message, new WeightPatch(PatchKind.ROWS, PatchCases.shape(ids.length, COLUMNS),
                PatchDtype.F32, 0, PatchCases.payload(PatchDtype.F32, ids, new float[ids.length][COLUMNS])));
    }

    /** On a tensor of zeros, except row 1, which is all ones. */
    private void refused(Reason reason, String message, WeightPatch patch) {
        MemorySegment source = arena.allocate(ROWS * COLUMNS * 4);
        for (int k = COLUMNS; k < 2 * COLUMNS; k++) {
            source.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, k, 1f);
        }
        PanelMatrix base = PanelPacker.pack("w", TensorFormat.F32, ROWS, COLUMNS, source, arena, WorkerTeam.sequential());
        assertRefused(base, reason, message, patch);
    }

    private void assertRefused(PanelMatrix base, Reason reason, String message, WeightPatch patch) {
        byte[] before = PanelBytes.all(base);
        byte[] payload = patch.payload().toArray(ValueLayout.JAVA_BYTE);
        PatchException e = assertThrows(PatchException.class, () -> apply(new WeightTensor.Matrix(base), patch));
        assertEquals(message, e.getMessage());
        assertEquals(reason, e.reason());
        assertArrayEquals(before, PanelBytes.all(base));
        assertArrayEquals(payload, patch.payload().toArray(ValueLayout.JAVA_BYTE));
    }

    private PatchResult apply(WeightTensor base, WeightPatch patch) {
        return TensorPatcher.apply("w", base, patch, arena, WorkerTeam.sequential(), PatchCases.PLAIN);
    }
}

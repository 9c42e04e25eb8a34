package dev.tidestream.model.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.FloatExp;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.NonFiniteWeightException;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.RandomWeights;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** The vector kernels against the scalar oracle: bits, not closeness. The width under test is this JVM's; the pom runs several. */
class KernelsTest {
    private static final long SEED = 20261123;

    private final Kernels scalar = KernelSelection.scalar();
    private final Kernels vector = KernelSelection.vector();
    private final List<Kernels> fast = List.of(vector, KernelSelection.fastest());

    static Stream<Arguments> shapes() {
        int[][] floats = {{1, 1}, {31, 7}, {32, 64}, {33, 65}, {172, 64}, {100, 172}, {40, 257}, {64, 384}};
        int[][] blocks = {{1, 32}, {32, 64}, {33, 96}, {97, 256}, {65, 288}, {129, 544}}; // batches go over 4, 8 or 16 blocks
        int[][] superBlocks = {{1, 256}, {33, 768}, {97, 512}};
        return Arrays.stream(TensorFormat.values()).flatMap(format -> Arrays.stream(
                        format.superBlocks() ? superBlocks : format.quantised() ? blocks : floats)
                .map(shape -> Arguments.of(format, shape[0], shape[1])));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void shouldAgreeWithTheOracleToTheBit(TensorFormat format, int rows, int columns) {
        SplittableRandom random = new SplittableRandom(SEED);
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix w = pack(format, rows, columns, random, arena);
            for (int batch : new int[] {1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17}) {
                for (boolean int8 : format.quantised() ? new boolean[] {false, true} : new boolean[] {false}) {
                    Activations x = activations(batch, columns, int8, random);
                    int[] expected = bits(multiply(scalar, w, x));
                    for (Kernels kernels : fast) {
                        for (int step : new int[] {1, 2, w.panels()}) { // some kernels do two panels at once
                            assertArrayEquals(expected, bits(multiply(kernels, w, x, step)), () -> "%s, seed=%d, batch=%d, int8=%b, step=%d"
                                    .formatted(kernels.title(), SEED, batch, int8, step));
                        }
                    }
                }
            }
        }
    }

    /** Machine code multiplies so many products, or rows of floats, per call; here more are asked for. */
    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldAgreeWhereOneCallIsNotEnough(TensorFormat format) {
        SplittableRandom random = new SplittableRandom(SEED + 10);
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix w = pack(format, 9 * 32 + 5, 8192, random, arena);
            PanelMatrix low = pack(format, 33, 256, random, arena);
            for (boolean int8 : format.quantised() ? new boolean[] {false, true} : new boolean[] {false}) {
                Activations one = activations(1, 8192, int8, random);
                Activations many = activations(131, 256, int8, random);
                int[] expectedOfOne = bits(multiply(scalar, w, one));
                int[] expectedOfMany = bits(multiply(scalar, low, many));
                for (Kernels kernels : fast) {
                    assertArrayEquals(expectedOfOne, bits(multiply(kernels, w, one, w.panels())), kernels.title());
                    assertArrayEquals(expectedOfMany, bits(multiply(kernels, low, many, low.panels())), kernels.title());
                }
            }
        }
    }

    /** Machine code has no bounds checks: what lies before, between and behind the rows must be as it was. */
    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldWriteNothingBesideItsRows(TensorFormat format) {
        int rows = 75; // the last panel is not full
        int columns = 256;
        int offset = 5;
        int stride = rows + 3;
        SplittableRandom random = new SplittableRandom(SEED + 9);
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix w = pack(format, rows, columns, random, arena);
            for (int batch : new int[] {1, 2, 3, 4, 5, 17}) {
                for (boolean int8 : format.quantised() ? new boolean[] {false, true} : new boolean[] {false}) {
                    Activations x = activations(batch, columns, int8, random);
                    float[] expected = new float[offset + batch * stride];
                    Arrays.fill(expected, 42f);
                    float[] out = expected.clone();
                    scalar.multiply(w, x, expected, stride, offset, 0, w.panels());
                    for (Kernels kernels : fast) {
                        Arrays.fill(out, 42f);
                        kernels.multiply(w, x, out, stride, offset, 0, w.panels());
                        assertArrayEquals(bits(expected), bits(out), "%s, batch=%d, int8=%b".formatted(kernels.title(), batch, int8));
                    }
                }
            }
        }
    }

    @Test
    void shouldRefuseWhatMachineCodeWouldWriteElsewhere() {
        assumeTrue(KernelSelection.generated().isPresent(), "no machine code here");
        Kernels machine = KernelSelection.generated().orElseThrow();
        SplittableRandom random = new SplittableRandom(SEED);
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix w = pack(TensorFormat.Q4_0, 64, 64, random, arena);
            Activations x = activations(2, 64, true, random);
            assertThrows(IllegalArgumentException.class, () -> machine.multiply(w, x, new float[127], 64, 0, 0, 2));
            assertThrows(IllegalArgumentException.class, () -> machine.multiply(w, x, new float[128], 64, 1, 0, 2));
            assertThrows(IllegalArgumentException.class, () -> machine.multiply(w, x, new float[128], 64, -1, 0, 2));
            assertThrows(IllegalArgumentException.class, () -> machine.multiply(w, x, new float[128], -64, 64, 0, 2));
            assertThrows(IndexOutOfBoundsException.class, () -> machine.multiply(w, x, new float[128], 64, 0, 0, 3));
            Activations wider = activations(2, 96, true, random);
            assertThrows(IllegalArgumentException.class, () -> machine.multiply(w, wider, new float[128], 64, 0, 0, 2));
        }
        PanelMatrix closed;
        try (Arena arena = Arena.ofShared()) {
            closed = pack(TensorFormat.Q4_0, 64, 64, random, arena);
        }
        Activations x = activations(1, 64, true, random);
        assertThrows(IllegalStateException.class, () -> machine.multiply(closed, x, new float[64], 64, 0, 0, 2));
    }

    /** Every integer and every code as large as it can be: nothing may leave the range in which sums are exact. */
    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"F32", "F16", "BF16"}, mode = EnumSource.Mode.EXCLUDE)
    void shouldHoldTheLargestIntegers(TensorFormat format) {
        int columns = 256;
        try (Arena arena = Arena.ofShared()) {
            MemorySegment source = arena.allocate(format.format().fileBytes(4, columns));
            for (int row = 0; row < 4; row++) {
                MemorySegment bytes = source.asSlice(row * format.rowBytes(columns), format.rowBytes(columns));
                bytes.fill((byte) new int[] {0xff, 0, 0x80, 0x7f}[row]);
                for (long at = 0; at < bytes.byteSize(); at += format.blockBytes()) {
                    long d = at + switch (format) {
                        case Q2_K -> 80;
                        case Q3_K -> 108;
                        case Q6_K -> 208;
                        case TQ1_0 -> 52;
                        case TQ2_0 -> 64;
                        case I2_S -> 0; // behind all rows
                        default -> 0;
                    };
                    if (format != TensorFormat.I2_S) {
                        bytes.set(PanelLayout.SHORT, d, (short) 0x3c00); // 1
                    }
                    if (format.rounding().minima()) {
                        bytes.set(PanelLayout.SHORT, d + 2, (short) 0x3c00);
                    }
                }
            }
            if (format == TensorFormat.I2_S) {
                source.set(PanelLayout.FLOAT, source.byteSize() - 32, 1f);
            }
            PanelMatrix w = PanelPacker.pack("w", format, 4, columns, source, arena, WorkerTeam.sequential());
            for (int batch : new int[] {1, 9}) {
                Activations x = new Activations(batch, columns);
                x.reset(batch);
                for (int i = 0; i < batch * columns; i++) {
                    x.values()[i] = i / columns % 3 == 0 ? 127f : i / columns % 3 == 1 ? -127f : i % 2 * 254f - 127f;
                }
                x.quantise(scalar, WorkerTeam.sequential());
                float[] expected = multiply(scalar, w, x);
                for (Kernels kernels : fast) {
                    assertArrayEquals(bits(expected), bits(multiply(kernels, w, x)), kernels.title() + ", batch=" + batch);
                }
                for (int i = 0; i < expected.length; i++) {
                    float[] row = RandomWeights.dequantised(format, source, i % 4, columns);
                    double exact = 0;
                    for (int k = 0; k < columns; k++) {
                        exact += (double) row[k] * x.values()[i / 4 * columns + k];
                    }
                    assertEquals(exact, expected[i], Math.abs(exact) * 0x1p-20 + 64, "batch=%d, i=%d".formatted(batch, i));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void shouldGiveARowTheSameBitsAloneAndInABatch(TensorFormat format, int rows, int columns) {
        SplittableRandom random = new SplittableRandom(SEED + 1);
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix w = pack(format, rows, columns, random, arena);
            Activations all = activations(13, columns, format.quantised(), random);
            for (Kernels kernels : fast) {
                int[] together = bits(multiply(kernels, w, all));
                for (int b = 0; b < 13; b++) {
                    Activations alone = new Activations(1, columns);
                    alone.reset(1);
                    System.arraycopy(all.values(), b * columns, alone.values(), 0, columns);
                    if (all.quantised()) {
                        alone.quantise(kernels, WorkerTeam.sequential());
                    }
                    assertArrayEquals(Arrays.copyOfRange(together, b * rows, (b + 1) * rows), bits(multiply(kernels, w, alone)),
                            "%s, seed=%d, b=%d".formatted(kernels.title(), SEED + 1, b));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void shouldKeepEveryBitWhenPacking(TensorFormat format, int rows, int columns) {
        SplittableRandom random = new SplittableRandom(SEED + 2);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment source = RandomWeights.rowMajor(format, rows, columns, random, arena);
            PanelMatrix w = PanelPacker.pack("w", format, rows, columns, source, arena, WorkerTeam.sequential());
            float[] row = new float[columns];
            for (int r = 0; r < rows; r++) {
                w.copyRow(r, row, 0);
                assertArrayEquals(bits(RandomWeights.dequantised(format, source, r, columns)), bits(row), "row " + r);
            }
            assertThrows(IndexOutOfBoundsException.class, () -> w.copyRow(rows, row, 0));
        }
    }

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldBeCloseToAProductInDouble(TensorFormat format) {
        int rows = 64;
        int columns = 512;
        SplittableRandom random = new SplittableRandom(SEED + 3);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment source = RandomWeights.rowMajor(format, rows, columns, random, arena);
            PanelMatrix w = PanelPacker.pack("w", format, rows, columns, source, arena, WorkerTeam.sequential());
            Activations x = activations(1, columns, false, random);
            for (Kernels kernels : fast) {
                float[] out = multiply(kernels, w, x);
                for (int r = 0; r < rows; r++) {
                    float[] row = RandomWeights.dequantised(format, source, r, columns);
                    double exact = 0;
                    double magnitude = 0;
                    for (int k = 0; k < columns; k++) {
                        exact += (double) row[k] * x.values()[k];
                        magnitude += Math.abs((double) row[k] * x.values()[k]);
                    }
                    assertEquals(exact, out[r], magnitude * columns * 0x1p-24, kernels.title() + ", row " + r);
                }
            }
        }
    }

    @Test
    void shouldRefuseWeightsThatAreNotFinite() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment source = arena.allocate(4 * 32);
            source.set(ValueLayout.JAVA_FLOAT, 4 * 5, Float.NaN);
            var e = assertThrows(NonFiniteWeightException.class, () -> PanelPacker.pack(
                    "blk.0.attn_q.weight", TensorFormat.F32, 1, 32, source, arena, WorkerTeam.sequential()));
            assertEquals("weight is not finite: tensor=blk.0.attn_q.weight, row=0, column=5", e.getMessage());
        }
    }

    @Test
    void shouldComputeExpWithinTwoUlp() {
        for (float x = -87f; x < 88f; x += 0.00731f) {
            float exact = (float) StrictMath.exp(x);
            assertEquals(exact, FloatExp.exp(x), 2 * Math.ulp(exact), "x=" + x);
        }
        assertEquals(1f, FloatExp.exp(0f));
    }

    private static PanelMatrix pack(TensorFormat format, int rows, int columns, SplittableRandom random, Arena arena) {
        MemorySegment source = RandomWeights.rowMajor(format, rows, columns, random, arena);
        return PanelPacker.pack("w", format, rows, columns, source, arena, WorkerTeam.sequential());
    }

    private static Activations activations(int batch, int columns, boolean int8, SplittableRandom random) {
        Activations x = new Activations(batch + 2, columns);
        x.reset(batch);
        for (int i = 0; i < batch * columns; i++) {
            x.values()[i] = (float) (random.nextGaussian() * Math.scalb(1.0, random.nextInt(-8, 8)));
        }
        if (columns >= 64) { // a block of zeros, one of subnormals
            Arrays.fill(x.values(), 0, 32, 0f);
            Arrays.fill(x.values(), 32, 64, Float.MIN_VALUE);
        }
        if (int8) {
            x.quantise(KernelSelection.scalar(), WorkerTeam.sequential());
        }
        return x;
    }

    private static float[] multiply(Kernels kernels, PanelMatrix w, Activations x) {
        return multiply(kernels, w, x, 1);
    }

    /** With {@code step} panels in each call. */
    private static float[] multiply(Kernels kernels, PanelMatrix w, Activations x, int step) {
        float[] out = new float[x.rows() * w.rows()];
        for (int panel = 0; panel < w.panels(); panel += step) {
            kernels.multiply(w, x, out, w.rows(), 0, panel, Math.min(panel + step, w.panels()));
        }
        return out;
    }

    private static int[] bits(float[] values) {
        int[] out = new int[values.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = Float.floatToRawIntBits(values[i]);
        }
        return out;
    }
}

package dev.tidestream.model.tensor;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class MatrixGroupTest {
    private static final long SEED = 20261124;
    private static final int COLUMNS = 64;

    /** Three matrices' worth of uneven ranges: the team hands out one panel here, five there. */
    private static final WorkerTeam UNEVEN = new WorkerTeam() {
        @Override
        public int size() {
            return 2;
        }

        @Override
        public void forEachRange(int items, int grain, RangeTask task) {
            for (int from = 0; from < items; ) {
                int to = Math.min(items, from + grain * (1 + from % 5));
                task.run(from, to);
                from = to;
            }
        }
    };

    private final List<float[]> biases = new ArrayList<>(); // of the group that was made last

    static Stream<Kernels> kernels() {
        return Stream.of(KernelSelection.scalar(), KernelSelection.vector(), KernelSelection.fastest()).distinct();
    }

    static Stream<Arguments> cases() {
        return kernels().flatMap(kernels -> Stream.of(
                Arguments.of(kernels, TensorFormat.Q4_0, 352, true, ActivationFunction.SILU, true, false),
                Arguments.of(kernels, TensorFormat.Q8_0, 96, true, ActivationFunction.SILU, true, true),
                Arguments.of(kernels, TensorFormat.Q8_0, 128, true, ActivationFunction.GELU_TANH, false, true),
                Arguments.of(kernels, TensorFormat.Q4_0, 32, false, ActivationFunction.RELU_SQUARED, true, false),
                Arguments.of(kernels, TensorFormat.F16, 172, false, ActivationFunction.GELU_TANH, false, true),
                Arguments.of(kernels, TensorFormat.F16, 172, false, ActivationFunction.SILU, true, false),
                Arguments.of(kernels, TensorFormat.F32, 1, false, ActivationFunction.RELU_SQUARED, false, false)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldActivateARowLikeTheStepsOneByOne(
            Kernels kernels, TensorFormat format, int rows, boolean int8, ActivationFunction function, boolean gated, boolean biased) {
        Kernels oracle = KernelSelection.scalar();
        SplittableRandom random = new SplittableRandom(SEED);
        try (Arena arena = Arena.ofShared()) {
            MatrixGroup group = group(Collections.nCopies(gated ? 2 : 1, rows), format, biased, random, arena);
            Activations x = new Activations(1, COLUMNS);
            x.reset(1);
            for (int k = 0; k < COLUMNS; k++) {
                x.values()[k] = (float) random.nextGaussian();
            }
            if (format.quantised()) {
                x.quantise(oracle, WorkerTeam.sequential());
            }
            float[] gate = new float[rows];
            float[] up = new float[rows];
            Activations expected = gated(rows);
            group.multiplyEach(oracle, WorkerTeam.sequential(), x, gate, up);
            if (gated) {
                oracle.gate(function, gate, up, expected.values(), 0, rows);
            } else {
                oracle.activate(function, gate, expected.values(), 0, rows);
            }
            if (int8) {
                expected.quantise(oracle, WorkerTeam.sequential());
            }

            Activations actual = gated(rows);
            group.multiplyActivated(kernels, UNEVEN, x, function, new float[rows], new float[rows], actual, int8);

            assertArrayEquals(expected.values(), actual.values(), "seed=" + SEED);
            assertEquals(expected.quantised(), actual.quantised());
            if (int8) {
                assertSameQuants(expected, actual, kernels);
                MatrixGroup next = MatrixGroup.of(matrix(format, 33, rows, random, arena)); // reads all there is of an encoding
                float[] expectedNext = new float[33];
                float[] actualNext = new float[33];
                next.multiply(oracle, WorkerTeam.sequential(), expected, expectedNext);
                next.multiply(kernels, WorkerTeam.sequential(), actual, actualNext);
                assertArrayEquals(expectedNext, actualNext, "seed=" + SEED);
            }
        }
    }

    /** The bias is added to the product, and nothing else is different. */
    @ParameterizedTest
    @MethodSource("kernels")
    void shouldAddBiasesAndPutProductsSideBySide(Kernels kernels) {
        SplittableRandom random = new SplittableRandom(SEED + 1);
        List<Integer> rows = List.of(96, 33, 1, 64);
        int all = rows.stream().mapToInt(Integer::intValue).sum();
        try (Arena arena = Arena.ofShared()) {
            MatrixGroup group = group(rows, TensorFormat.Q8_0, true, random, arena);
            assertEquals(all, group.rows());
            for (int batch : new int[] {1, 2, 5}) {
                Activations x = new Activations(batch, COLUMNS);
                x.reset(batch);
                for (int k = 0; k < batch * COLUMNS; k++) {
                    x.values()[k] = (float) random.nextGaussian();
                }
                float[] together = new float[batch * all];
                group.multiply(kernels, UNEVEN, x, together);
                float[][] each = rows.stream().map(count -> new float[batch * count]).toArray(float[][]::new);
                group.multiplyEach(kernels, UNEVEN, x, each);
                int first = 0;
                for (int i = 0; i < each.length; i++) {
                    int count = rows.get(i);
                    float[] product = new float[batch * count];
                    KernelSelection.scalar().multiply(group.matrix(i), x, product, count, 0, 0, group.matrix(i).panels());
                    float[] bias = biases.get(i);
                    for (int j = 0; j < batch * count; j++) {
                        float expected = product[j] + bias[j % count];
                        assertEquals(expected, each[i][j], "batch=%d, matrix=%d, j=%d".formatted(batch, i, j));
                        assertEquals(expected, together[j / count * all + first + j % count],
                                "batch=%d, matrix=%d, j=%d".formatted(batch, i, j));
                    }
                    first += count;
                }
            }
        }
    }

    @Test
    void shouldRefuseABiasOfAnotherLength() {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix matrix = matrix(TensorFormat.F32, 3, COLUMNS, new SplittableRandom(SEED), arena);
            assertThrows(IllegalArgumentException.class, () -> new MatrixGroup(List.of(matrix), List.of(new float[2])));
        }
    }

    private MatrixGroup group(List<Integer> rows, TensorFormat format, boolean biased, SplittableRandom random, Arena arena) {
        biases.clear();
        List<PanelMatrix> matrices = new ArrayList<>();
        for (int count : rows) {
            matrices.add(matrix(format, count, COLUMNS, random, arena));
            float[] bias = new float[biased ? count : 0];
            for (int i = 0; i < bias.length; i++) {
                bias[i] = (float) random.nextGaussian();
            }
            biases.add(bias);
        }
        return new MatrixGroup(matrices, biases);
    }

    private static void assertSameQuants(Activations expected, Activations actual, Kernels kernels) {
        ActivationEncoding oracle = KernelSelection.scalar().encoding(expected);
        for (int k = 0; k < expected.columns(); k++) {
            assertEquals(oracle.quant(0, k), kernels.encoding(actual).quant(0, k), "seed=%d, k=%d".formatted(SEED, k));
            assertEquals(oracle.scale(0, k / 32), kernels.encoding(actual).scale(0, k / 32), "seed=%d, k=%d".formatted(SEED, k));
        }
    }

    private static Activations gated(int rows) {
        Activations gated = new Activations(1, rows);
        gated.reset(1);
        return gated;
    }

    private static PanelMatrix matrix(TensorFormat format, int rows, int columns, SplittableRandom random, Arena arena) {
        return PanelPacker.pack("w", format, rows, columns,
                RandomWeights.rowMajor(format, rows, columns, random, arena), arena, WorkerTeam.sequential());
    }
}

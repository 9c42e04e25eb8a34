package dev.tidestream.model.tensor;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

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

    static Stream<Arguments> cases() {
        Stream<Kernels> all = Stream.of(KernelSelection.scalar(), KernelSelection.vector(), KernelSelection.fastest()).distinct();
        return all.flatMap(kernels -> Stream.of(
                Arguments.of(kernels, TensorFormat.Q4_0, 352, true),
                Arguments.of(kernels, TensorFormat.Q8_0, 96, true),
                Arguments.of(kernels, TensorFormat.Q4_0, 32, false),
                Arguments.of(kernels, TensorFormat.F16, 172, false),
                Arguments.of(kernels, TensorFormat.F32, 1, false)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldGateARowLikeTheStepsOneByOne(Kernels kernels, TensorFormat format, int rows, boolean int8) {
        Kernels oracle = KernelSelection.scalar();
        SplittableRandom random = new SplittableRandom(SEED);
        try (Arena arena = Arena.ofShared()) {
            MatrixGroup group = new MatrixGroup(List.of(
                    matrix(format, rows, COLUMNS, random, arena), matrix(format, rows, COLUMNS, random, arena)));
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
            group.multiply(oracle, WorkerTeam.sequential(), x, gate, up);
            oracle.swiGlu(gate, up, expected.values(), 0, rows);
            if (int8) {
                expected.quantise(oracle, WorkerTeam.sequential());
            }

            Activations actual = gated(rows);
            group.multiplyGated(kernels, UNEVEN, x, new float[rows], new float[rows], actual, int8);

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

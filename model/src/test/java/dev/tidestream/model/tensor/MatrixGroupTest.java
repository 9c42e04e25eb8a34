package dev.tidestream.model.tensor;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.SplittableRandom;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

    @ParameterizedTest
    @CsvSource({"Q4_0, 352, true", "Q8_0, 96, true", "Q4_0, 32, false", "F16, 172, false", "F32, 1, false"})
    void shouldGateARowLikeTheStepsOneByOne(TensorFormat format, int rows, boolean int8) {
        SplittableRandom random = new SplittableRandom(SEED);
        try (Arena arena = Arena.ofShared()) {
            MatrixGroup group = new MatrixGroup(List.of(matrix(format, rows, random, arena), matrix(format, rows, random, arena)));
            Activations x = new Activations(1, COLUMNS);
            x.reset(1);
            for (int k = 0; k < COLUMNS; k++) {
                x.values()[k] = (float) random.nextGaussian();
            }
            if (format.quantised()) {
                x.quantise(WorkerTeam.sequential());
            }
            float[] gate = new float[rows];
            float[] up = new float[rows];
            Activations expected = gated(rows);
            group.multiplyEach(Kernels.scalar(), WorkerTeam.sequential(), x, gate, up);
            Kernels.scalar().gate(ActivationFunction.SILU, gate, up, expected.values(), 0, rows);
            if (int8) {
                expected.quantise(WorkerTeam.sequential());
            }

            Activations actual = gated(rows);
            group.multiplyActivated(Kernels.vector(), UNEVEN, x, ActivationFunction.SILU, new float[rows], new float[rows], actual, int8);

            assertArrayEquals(expected.values(), actual.values(), "seed=" + SEED);
            assertEquals(expected.quantised(), actual.quantised());
            if (int8) {
                RecordWriterTest.assertRecords(actual);
            }
            assertArrayEquals(expected.codePairs(), actual.codePairs(), "seed=" + SEED);
            assertArrayEquals(expected.scales(), actual.scales(), "seed=" + SEED);
            assertArrayEquals(expected.sums(), actual.sums(), "seed=" + SEED);
        }
    }

    private static Activations gated(int rows) {
        Activations gated = new Activations(1, rows);
        gated.reset(1);
        return gated;
    }

    private static PanelMatrix matrix(TensorFormat format, int rows, SplittableRandom random, Arena arena) {
        return PanelPacker.pack("w", format, rows, COLUMNS,
                RandomWeights.rowMajor(format, rows, COLUMNS, random, arena), arena, WorkerTeam.sequential());
    }
}

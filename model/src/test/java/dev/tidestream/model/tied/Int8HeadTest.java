package dev.tidestream.model.tied;

import java.lang.foreign.Arena;
import java.util.Arrays;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Heads that are given int8 codes beside the floats. */
class Int8HeadTest {
    private static final WorkerTeam ALONE = WorkerTeam.sequential();
    private static final int VOCABULARY = 167; // a last panel that is not full, an odd number of panels before it
    private static final int HIDDEN = 512;
    private static final int ROWS = 37;

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldGiveARowTheOraclesBitsInEveryBatch(TensorFormat format) {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix weight = HeadCases.weight(format, VOCABULARY, HIDDEN, 5, arena);
            PanelMatrix other = HeadCases.weight(TensorFormat.F16, VOCABULARY, HIDDEN, 6, arena);
            float[] states = HeadCases.states(ROWS, HIDDEN, 7);
            EmbeddingLayer scalar = tied(weight, KernelSelection.scalar());
            float[][] oracle = new float[ROWS][];
            for (int row = 0; row < ROWS; row++) {
                oracle[row] = int8(scalar, states, row, 1, ALONE);
            }
            float[] floats = HeadCases.logits(scalar, states, 0, 1, ALONE);
            assertEquals(format.quantised(), scalar.quantised());
            assertEquals(format.quantised(), !Arrays.equals(floats, oracle[0]), "codes must matter where there are blocks only");

            for (EmbeddingLayer head : new EmbeddingLayer[] {
                    tied(weight, KernelSelection.vector()), tied(weight, KernelSelection.fastest()),
                    new UntiedEmbedding(other, weight, KernelSelection.vector())}) {
                assertEquals(format.quantised(), head.quantised());
                for (int batch : new int[] {1, 2, 3, 4, 5, 8, 15, 16, 17, 32, ROWS}) {
                    for (WorkerTeam team : new WorkerTeam[] {ALONE, new HeadCases.BackwardTeam(true)}) {
                        float[] logits = int8(head, states, ROWS - batch, batch, team);
                        for (int row = 0; row < batch; row++) {
                            assertArrayEquals(oracle[ROWS - batch + row],
                                    Arrays.copyOfRange(logits, row * VOCABULARY, (row + 1) * VOCABULARY),
                                    "tied=%b, batch=%d, row=%d".formatted(head.tied(), batch, row));
                        }
                    }
                }
            }
        }
    }

    @Test
    void shouldTakeTheFormatOfTheOutputMatrix() {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix floats = HeadCases.weight(TensorFormat.F16, VOCABULARY, HIDDEN, 5, arena);
            PanelMatrix codes = HeadCases.weight(TensorFormat.Q6_K, VOCABULARY, HIDDEN, 6, arena);
            assertTrue(new UntiedEmbedding(floats, codes, KernelSelection.vector()).quantised());
            assertFalse(new UntiedEmbedding(codes, floats, KernelSelection.vector()).quantised());
        }
    }

    @ParameterizedTest
    @EnumSource(value = HeadMode.class, names = {"TRANSPOSE_PER_STEP", "CACHED_TRANSPOSE"})
    void shouldTakeFloatsInDenseModes(HeadMode mode) {
        try (Arena arena = Arena.ofShared();
                EmbeddingLayer head = HeadCases.head(mode, HeadCases.weight(TensorFormat.Q4_0, VOCABULARY, HIDDEN, 5, arena), ALONE)) {
            float[] states = HeadCases.states(3, HIDDEN, 7);
            assertArrayEquals(HeadCases.logits(head, states, 0, 3, ALONE), int8(head, states, 0, 3, ALONE));
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void shouldNotHideAStateThatIsNotFinite(float value) {
        try (Arena arena = Arena.ofShared()) {
            for (TensorFormat format : TensorFormat.values()) {
                EmbeddingLayer head = tied(HeadCases.weight(format, VOCABULARY, HIDDEN, 5, arena), KernelSelection.vector());
                float[] states = HeadCases.states(2, HIDDEN, 7);
                float[] sound = int8(head, states, 1, 1, ALONE);
                states[HIDDEN - 40] = value;
                float[] alone = int8(head, states, 0, 1, ALONE);
                float[] both = int8(head, states, 0, 2, ALONE);
                for (int token = 0; token < VOCABULARY; token++) {
                    assertFalse(Float.isFinite(alone[token]), format + ", token " + token);
                    assertFalse(Float.isFinite(both[token]), format + ", token " + token);
                }
                assertArrayEquals(sound, Arrays.copyOfRange(both, VOCABULARY, 2 * VOCABULARY));
            }
        }
    }

    private static EmbeddingLayer tied(PanelMatrix weight, Kernels kernels) {
        return new TiedEmbedding(new TiedWeightConfig(weight.rows(), weight.columns(), weight.format()), weight, kernels);
    }

    /** (rows, V) of quantised states */
    private static float[] int8(EmbeddingLayer head, float[] states, int fromRow, int rows, WorkerTeam team) {
        Activations hidden = new Activations(rows, HIDDEN);
        hidden.reset(rows);
        System.arraycopy(states, fromRow * HIDDEN, hidden.values(), 0, rows * HIDDEN);
        hidden.quantise(KernelSelection.fastest(), team);
        float[] logits = new float[rows * VOCABULARY];
        head.logits(hidden, logits, team);
        return logits;
    }
}

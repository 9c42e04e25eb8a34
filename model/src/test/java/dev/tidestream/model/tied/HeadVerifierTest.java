package dev.tidestream.model.tied;

import java.lang.foreign.Arena;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.TiedWeightException.DimensionMismatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class HeadVerifierTest {
    private static final WorkerTeam ALONE = WorkerTeam.sequential();
    private static final int VOCABULARY = 101;
    private static final int HIDDEN = 256;

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldFindOneChangedElement(TensorFormat format) {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix weight = HeadCases.weight(format, VOCABULARY, HIDDEN, 3, arena);
            EmbeddingLayer packed = HeadCases.head(HeadMode.PACKED, weight, ALONE);
            float[] embedding = new float[HIDDEN];
            float typical = 0;
            for (int token = 80; token <= 100; token++) { // one row's scale may be a subnormal
                packed.lookup(token, embedding, 0);
                for (float e : embedding) {
                    typical = Math.max(typical, Math.abs(e));
                }
            }
            float[] states = HeadCases.states(4, HIDDEN, 4);
            HeadComparison sound = HeadVerifier.compare(packed, new Damaged(packed, 100, 200, 0f), states, 4, ALONE);
            assertTrue(sound.withinBound(), sound.toString());
            assertEquals(0, sound.maxDelta());
            HeadComparison damaged = HeadVerifier.compare(packed, new Damaged(packed, 100, 200, typical / 50), states, 4, ALONE);
            assertFalse(damaged.withinBound(), damaged.toString());
            assertTrue(damaged.maxDelta() > 0 && damaged.maxDeltaOverBound() > 1, damaged.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void shouldCountLogitsThatAreNotFinite(float value) {
        try (Arena arena = Arena.ofShared()) {
            EmbeddingLayer packed =
                    HeadCases.head(HeadMode.PACKED, HeadCases.weight(TensorFormat.F32, VOCABULARY, HIDDEN, 3, arena), ALONE);
            float[] states = HeadCases.states(2, HIDDEN, 4);
            HeadComparison comparison = HeadVerifier.compare(packed, new Damaged(packed, 7, 0, value), states, 2, ALONE);
            assertEquals(2, comparison.nonFiniteLogits());
            assertFalse(comparison.withinBound());
            HeadComparison both = HeadVerifier.compare(
                    new Damaged(packed, 7, 0, value), new Damaged(packed, 7, 0, value), states, 2, ALONE);
            assertFalse(both.withinBound());
        }
    }

    @Test
    void shouldNotDependOnHowItIsSplit() {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix weight = HeadCases.weight(TensorFormat.Q8_0, 1003, 64, 3, arena);
            float[] states = HeadCases.states(4, 64, 4);
            try (EmbeddingLayer packed = HeadCases.head(HeadMode.PACKED, weight, ALONE);
                    EmbeddingLayer cached = HeadCases.head(HeadMode.CACHED_TRANSPOSE, weight, ALONE)) {
                HeadComparison alone = HeadVerifier.compare(packed, cached, states, 4, ALONE);
                HeadComparison split =
                        HeadVerifier.compare(packed, cached, states, 4, new HeadCases.BackwardTeam(true));
                assertTrue(alone.maxDelta() > 0, "no rounding at all: " + alone);
                assertEquals(alone.maxDelta(), split.maxDelta());
                assertEquals(alone.maxDeltaOverBound(), split.maxDeltaOverBound());
                assertTrue(alone.oldNanosPerRow() > 0 && alone.newNanosPerRow() > 0, alone.toString());
            }
        }
    }

    @Test
    void shouldAcceptHiddenStatesOfZeros() {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix weight = HeadCases.weight(TensorFormat.F32, 40, 32, 3, arena);
            try (EmbeddingLayer packed = HeadCases.head(HeadMode.PACKED, weight, ALONE);
                    EmbeddingLayer cached = HeadCases.head(HeadMode.CACHED_TRANSPOSE, weight, ALONE)) {
                HeadComparison zeros = HeadVerifier.compare(packed, cached, new float[32], 1, ALONE);
                assertTrue(zeros.withinBound());
                assertFalse(HeadVerifier.compare(packed, new Damaged(packed, 1, 0, 0f, 1e-30f), new float[32], 1, ALONE)
                        .withinBound());
            }
        }
    }

    @Test
    void shouldRefuseShapesThatDoNotFit() {
        try (Arena arena = Arena.ofShared()) {
            EmbeddingLayer one = HeadCases.head(HeadMode.PACKED, HeadCases.weight(TensorFormat.F32, 40, 32, 3, arena), ALONE);
            EmbeddingLayer two = HeadCases.head(HeadMode.PACKED, HeadCases.weight(TensorFormat.F32, 41, 32, 3, arena), ALONE);
            assertEquals("heads of different shapes: [40, 32] and [41, 32]", assertThrows(DimensionMismatch.class,
                    () -> HeadVerifier.compare(one, two, new float[32], 1, ALONE)).getMessage());
            assertEquals("hidden states must be [n, 32], n at least 1: n=2, length=63", assertThrows(DimensionMismatch.class,
                    () -> HeadVerifier.compare(one, one, new float[63], 2, ALONE)).getMessage());
            assertThrows(DimensionMismatch.class, () -> HeadVerifier.compare(one, one, new float[0], 0, ALONE));
        }
    }

    /** A head one of whose elements, {@code e[token][k]}, is too large by {@code error}. */
    private record Damaged(EmbeddingLayer sound, int token, int k, float error, float offset) implements EmbeddingLayer {
        Damaged(EmbeddingLayer sound, int token, int k, float error) {
            this(sound, token, k, error, 0f);
        }

        @Override
        public void logits(Activations hidden, float[] logits, WorkerTeam team) {
            sound.logits(hidden, logits, team);
            for (int row = 0; row < hidden.rows(); row++) {
                logits[row * vocabularySize() + token] += hidden.values()[row * hiddenSize() + k] * error + offset;
            }
        }

        @Override
        public int vocabularySize() {
            return sound.vocabularySize();
        }

        @Override
        public int hiddenSize() {
            return sound.hiddenSize();
        }

        @Override
        public boolean tied() {
            return sound.tied();
        }

        @Override
        public HeadMode mode() {
            return sound.mode();
        }

        @Override
        public long bytes() {
            return sound.bytes();
        }

        @Override
        public boolean quantised() {
            return sound.quantised();
        }

        @Override
        public long derivedBytes() {
            return sound.derivedBytes();
        }

        @Override
        public long bytesRead(int rows) {
            return sound.bytesRead(rows);
        }

        @Override
        public TiedWeightStats stats() {
            return sound.stats();
        }

        @Override
        public void lookup(int which, float[] hidden, int offsetInHidden) {
            sound.lookup(which, hidden, offsetInHidden);
        }

        @Override
        public void close() {
            sound.close();
        }
    }
}

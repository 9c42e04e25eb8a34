package dev.tidestream.model.tied;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.RandomWeights;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;
import dev.tidestream.model.tied.TiedWeightException.DimensionMismatch;
import dev.tidestream.model.tied.TiedWeightException.InvalidLogitsShape;
import dev.tidestream.model.tied.TiedWeightException.InvalidTiedWeightShape;
import dev.tidestream.model.tied.TiedWeightException.NoTiedWeights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TiedEmbeddingTest {
    private static final int VOCABULARY = 70;
    private static final int HIDDEN = 256;

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldServeLookupAndLogitsFromOneCopy(TensorFormat format) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment source = RandomWeights.rowMajor(format, VOCABULARY, HIDDEN, new SplittableRandom(7), arena);
            PanelMatrix weight =
                    PanelPacker.pack("w", format, VOCABULARY, HIDDEN, source, arena, WorkerTeam.sequential());
            EmbeddingLayer tied =
                    new TiedEmbedding(new TiedWeightConfig(VOCABULARY, HIDDEN, format), weight, KernelSelection.vector());
            assertEquals(weight.bytes(), tied.bytes());
            assertTrue(tied.tied());

            Activations hidden = new Activations(3, HIDDEN);
            hidden.reset(3);
            for (int row = 0; row < 3; row++) { // the embeddings of three tokens serve as hidden states
                tied.lookup(row * 20, hidden.values(), row * HIDDEN);
                float[] expected = RandomWeights.dequantised(format, source, row * 20, HIDDEN);
                float[] actual = new float[HIDDEN];
                System.arraycopy(hidden.values(), row * HIDDEN, actual, 0, HIDDEN);
                assertArrayEquals(expected, actual);
            }
            float[] logits = new float[3 * VOCABULARY];
            tied.logits(hidden, logits, WorkerTeam.sequential());
            for (int row = 0; row < 3; row++) {
                for (int token = 0; token < VOCABULARY; token++) {
                    float[] e = RandomWeights.dequantised(format, source, token, HIDDEN);
                    double exact = 0;
                    double magnitude = 0;
                    for (int k = 0; k < HIDDEN; k++) {
                        double product = (double) e[k] * hidden.values()[row * HIDDEN + k];
                        exact += product;
                        magnitude += Math.abs(product);
                    }
                    assertEquals(exact, logits[row * VOCABULARY + token], magnitude * HIDDEN * 0x1p-24);
                }
            }
        }
    }

    @Test
    void shouldRefuseWhatDoesNotFit() {
        try (Arena arena = Arena.ofShared()) {
            EmbeddingLayer tied = tied(arena);
            float[] hidden = new float[HIDDEN];
            assertEquals("no such token: token=70, vocabulary=70",
                    assertThrows(DimensionMismatch.class, () -> tied.lookup(70, hidden, 0)).getMessage());
            assertThrows(DimensionMismatch.class, () -> tied.lookup(-1, hidden, 0));
            assertThrows(DimensionMismatch.class, () -> tied.lookup(0, hidden, 1));
            Activations narrow = new Activations(1, 32);
            narrow.reset(1);
            assertEquals("hidden states are [n, 32], the head takes [n, 256]", assertThrows(DimensionMismatch.class,
                    () -> tied.logits(narrow, new float[VOCABULARY], WorkerTeam.sequential())).getMessage());
            Activations two = new Activations(2, HIDDEN);
            two.reset(2);
            assertEquals("logits must hold [2, 70]: length=70", assertThrows(InvalidLogitsShape.class,
                    () -> tied.logits(two, new float[VOCABULARY], WorkerTeam.sequential())).getMessage());
            assertThrows(DimensionMismatch.class, () -> new TiedEmbedding(
                    new TiedWeightConfig(VOCABULARY, 32, TensorFormat.F32), weight(arena), KernelSelection.vector()));
        }
    }

    @Test
    void shouldValidateConfigurations() {
        assertEquals(new TiedWeightConfig(100, 64, TensorFormat.Q8_0),
                TiedWeightConfig.validate(List.of(100L, 64L), "q8_0", 64, true, false));
        assertThrows(InvalidTiedWeightShape.class, () -> TiedWeightConfig.validate(List.of(64L), "F32", 64, true, false));
        assertThrows(InvalidTiedWeightShape.class, () -> TiedWeightConfig.validate(List.of(0L, 64L), "F32", 64, true, false));
        assertThrows(InvalidTiedWeightShape.class,
                () -> TiedWeightConfig.validate(List.of(1L << 40, 64L), "F32", 64, true, false));
        assertThrows(InvalidTiedWeightShape.class, () -> TiedWeightConfig.validate(List.of(10L, 64L), "INT7", 64, true, false));
        assertThrows(InvalidTiedWeightShape.class, () -> TiedWeightConfig.validate(List.of(10L, 33L), "Q4_0", 33, true, false));
        assertThrows(InvalidTiedWeightShape.class, () -> new TiedWeightConfig(0, 64, TensorFormat.F32));
        assertThrows(DimensionMismatch.class, () -> TiedWeightConfig.validate(List.of(10L, 64L), "F32", 32, true, false));
        assertThrows(NoTiedWeights.class, () -> TiedWeightConfig.validate(List.of(10L, 64L), "F32", 64, false, false));
        assertThrows(NoTiedWeights.class, () -> TiedWeightConfig.validate(List.of(10L, 64L), "F32", 64, true, true));
    }

    @Test
    void shouldKeepAnUntiedHeadApart() {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix embedding = weight(arena);
            MemorySegment zeros = arena.allocate(VOCABULARY * HIDDEN * 4L);
            PanelMatrix output = PanelPacker.pack(
                    "o", TensorFormat.F32, VOCABULARY, HIDDEN, zeros, arena, WorkerTeam.sequential());
            EmbeddingLayer untied = new UntiedEmbedding(embedding, output, KernelSelection.vector());
            assertEquals(embedding.bytes() + output.bytes(), untied.bytes());
            Activations hidden = new Activations(1, HIDDEN);
            hidden.reset(1);
            untied.lookup(3, hidden.values(), 0);
            float[] logits = new float[VOCABULARY];
            untied.logits(hidden, logits, WorkerTeam.sequential());
            assertArrayEquals(new float[VOCABULARY], logits);
        }
    }

    private static EmbeddingLayer tied(Arena arena) {
        return new TiedEmbedding(
                new TiedWeightConfig(VOCABULARY, HIDDEN, TensorFormat.F32), weight(arena), KernelSelection.vector());
    }

    private static PanelMatrix weight(Arena arena) {
        MemorySegment source =
                RandomWeights.rowMajor(TensorFormat.F32, VOCABULARY, HIDDEN, new SplittableRandom(7), arena);
        return PanelPacker.pack("w", TensorFormat.F32, VOCABULARY, HIDDEN, source, arena, WorkerTeam.sequential());
    }
}

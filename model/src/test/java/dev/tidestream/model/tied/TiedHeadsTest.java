package dev.tidestream.model.tied;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.TiedWeightException.DimensionMismatch;
import dev.tidestream.model.tied.TiedWeightException.InvalidLogitsShape;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TiedHeadsTest {
    private static final WorkerTeam ALONE = WorkerTeam.sequential();

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldAgreeAcrossModesAndLookUpTheSameBits(TensorFormat format) {
        try (Arena arena = Arena.ofShared()) {
            for (int[] size : new int[][] {{1, 32}, {33, 96}, {95, 288}, {4103, 64}}) { // 4103: more than one tile, odd
                int vocabulary = size[0];
                int hidden = Math.ceilDiv(size[1], format.blockElements()) * format.blockElements();
                PanelMatrix weight = HeadCases.weight(format, vocabulary, hidden, 11, arena);
                float[] states = HeadCases.states(3, hidden, 12);
                try (EmbeddingLayer packed = HeadCases.head(HeadMode.PACKED, weight, ALONE);
                        EmbeddingLayer cached = HeadCases.head(HeadMode.CACHED_TRANSPOSE, weight, ALONE);
                        EmbeddingLayer perStep = HeadCases.head(HeadMode.TRANSPOSE_PER_STEP, weight, ALONE)) {
                    for (EmbeddingLayer dense : List.of(cached, perStep)) {
                        String title = "%s %s (%d, %d)".formatted(dense.mode(), format, vocabulary, hidden);
                        HeadComparison comparison = HeadVerifier.compare(packed, dense, states, 3, ALONE);
                        assertTrue(comparison.withinBound(), title + comparison);
                        assertEquals(3, comparison.rows());
                        float[] expected = new float[hidden];
                        float[] actual = new float[hidden];
                        for (int token = 0; token < vocabulary; token++) {
                            packed.lookup(token, expected, 0);
                            dense.lookup(token, actual, 0);
                            assertArrayEquals(expected, actual, title);
                        }
                    }
                    assertArrayEquals(HeadCases.logits(cached, states, 0, 3, ALONE), HeadCases.logits(perStep, states, 0, 3, ALONE));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"F32", "F16", "BF16"})
    void shouldTakeHiddenSizesThatAreNoMultipleOfABlock(TensorFormat format) {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix weight = HeadCases.weight(format, 71, 37, 5, arena);
            float[] states = HeadCases.states(2, 37, 6);
            EmbeddingLayer packed = HeadCases.head(HeadMode.PACKED, weight, ALONE);
            for (HeadMode mode : HeadMode.values()) {
                try (EmbeddingLayer head = HeadCases.head(mode, weight, ALONE)) {
                    assertTrue(HeadVerifier.compare(packed, head, states, 2, ALONE).withinBound(), mode.wireName());
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(HeadMode.class)
    void shouldGiveARowTheSameBitsInAnyBatchAndWithAnyTeam(HeadMode mode) {
        try (Arena arena = Arena.ofShared()) {
            int rows = 16;
            PanelMatrix weight = HeadCases.weight(TensorFormat.F32, 8195, 96, 21, arena);
            float[] states = HeadCases.states(rows, 96, 22);
            try (EmbeddingLayer head = HeadCases.head(mode, weight, ALONE);
                    EmbeddingLayer other = HeadCases.head(mode, weight, new HeadCases.BackwardTeam(true))) {
                float[] batch = HeadCases.logits(head, states, 0, rows, ALONE);
                for (int repeat = 0; repeat < 3; repeat++) {
                    assertArrayEquals(batch, HeadCases.logits(head, states, 0, rows, new HeadCases.BackwardTeam(repeat == 0)));
                    assertArrayEquals(batch, HeadCases.logits(other, states, 0, rows, ALONE));
                }
                for (int row = 0; row < rows; row++) {
                    float[] expected = Arrays.copyOfRange(batch, row * 8195, (row + 1) * 8195);
                    assertArrayEquals(expected, HeadCases.logits(head, states, row, 1, ALONE), "row " + row);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(HeadMode.class)
    void shouldServeSeveralCallersAtOnce(HeadMode mode) throws Exception {
        try (Arena arena = Arena.ofShared(); ExecutorService threads = Executors.newFixedThreadPool(4)) {
            PanelMatrix weight = HeadCases.weight(TensorFormat.Q8_0, 4197, 64, 31, arena);
            try (EmbeddingLayer head = HeadCases.head(mode, weight, ALONE)) {
                List<float[]> expected = new ArrayList<>();
                List<Callable<float[]>> calls = new ArrayList<>();
                for (int i = 0; i < 24; i++) {
                    int rows = 1 + i % 3;
                    float[] states = HeadCases.states(rows, 64, i);
                    expected.add(HeadCases.logits(head, states, 0, rows, ALONE));
                    calls.add(() -> HeadCases.logits(head, states, 0, rows, ALONE));
                }
                List<Future<float[]>> results = threads.invokeAll(calls);
                for (int i = 0; i < calls.size(); i++) {
                    assertArrayEquals(expected.get(i), results.get(i).get(), "call " + i);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(HeadMode.class)
    void shouldRefuseWhatDoesNotFit(HeadMode mode) {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix weight = HeadCases.weight(TensorFormat.F32, 70, 64, 7, arena);
            try (EmbeddingLayer head = HeadCases.head(mode, weight, ALONE)) {
                float[] hidden = new float[2 * 64];
                assertEquals("no such token: token=70, vocabulary=70",
                        assertThrows(DimensionMismatch.class, () -> head.lookup(70, hidden, 0)).getMessage());
                assertEquals("no such token: tokens[1]=-1, vocabulary=70", assertThrows(DimensionMismatch.class,
                        () -> head.lookup(new int[] {3, -1}, 0, 2, hidden, 0)).getMessage());
                assertArrayEquals(new float[2 * 64], hidden);
                assertEquals("not so many tokens: from=1, count=2, length=2", assertThrows(DimensionMismatch.class,
                        () -> head.lookup(new int[2], 1, 2, hidden, 0)).getMessage());
                assertEquals("hidden states do not fit: offset=1, count=2, length=128, hidden=64", assertThrows(
                        DimensionMismatch.class, () -> head.lookup(new int[2], 0, 2, hidden, 1)).getMessage());
                Activations narrow = new Activations(1, 32);
                narrow.reset(1);
                assertEquals("hidden states are [n, 32], the head takes [n, 64]", assertThrows(DimensionMismatch.class,
                        () -> head.logits(narrow, new float[70], ALONE)).getMessage());
                Activations two = new Activations(2, 64);
                two.reset(2);
                assertEquals("logits must hold [2, 70]: length=139", assertThrows(InvalidLogitsShape.class,
                        () -> head.logits(two, new float[139], ALONE)).getMessage());
            }
            assertThrows(DimensionMismatch.class, () -> TiedHeads.build(
                    mode, new TiedWeightConfig(71, 64, TensorFormat.F32), weight, KernelSelection.vector(), ALONE));
        }
    }

    @ParameterizedTest
    @EnumSource(HeadMode.class)
    void shouldLookUpABatchAsItLooksUpTokens(HeadMode mode) {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix weight = HeadCases.weight(TensorFormat.Q4_0, 70, 64, 8, arena);
            try (EmbeddingLayer head = HeadCases.head(mode, weight, ALONE)) {
                int[] tokens = {9, 69, 0, 0, 33};
                float[] expected = new float[1 + 3 * 64];
                for (int i = 0; i < 3; i++) {
                    head.lookup(tokens[i + 1], expected, 1 + i * 64);
                }
                float[] actual = new float[1 + 3 * 64];
                head.lookup(tokens, 1, 3, actual, 1);
                assertArrayEquals(expected, actual);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "PACKED, 74800, 0, 0, 0, 74800",
        "CACHED_TRANSPOSE, 74800, 281600, 281600, 0, 563200",
        "TRANSPOSE_PER_STEP, 356400, 0, 281600, 281600, 1126400"
    })
    void shouldSayWhatItCosts(HeadMode mode, long embedding, long transposed, long overhead, long transientBytes, long read) {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix weight = HeadCases.weight(TensorFormat.Q8_0, 1100, 64, 9, arena); // 35 panels of 32 · 2 · 34 bytes
            try (EmbeddingLayer head = HeadCases.head(mode, weight, ALONE)) {
                long padding = 35 * 32 * 68 - 1100 * 68;
                assertEquals(new TiedWeightStats(embedding + padding, transposed, overhead), head.stats());
                assertEquals(transientBytes, mode.transientBytes(1100, 64));
                assertEquals(embedding + padding + transposed, head.stats().totalBytes());
                assertEquals(weight.bytes(), head.bytes());
                assertEquals(overhead, head.derivedBytes());
                assertEquals(overhead, mode.derivedBytes(1100, 64));
                assertEquals(overhead + transientBytes, mode.peakBytes(1100, 64));
                assertEquals(read + (mode == HeadMode.PACKED ? padding : 0), head.bytesRead(2));
                assertEquals(mode, head.mode());
            }
        }
    }

    @Test
    void shouldCountBytesBeyondTheRangeOfAnInt() {
        assertEquals(128_256L * 4096 * 4, HeadMode.CACHED_TRANSPOSE.peakBytes(128_256, 4096));
        assertEquals(2 * 128_256L * 4096 * 4, HeadMode.TRANSPOSE_PER_STEP.peakBytes(128_256, 4096));
        assertEquals(0, HeadMode.PACKED.peakBytes(128_256, 4096));
    }

    @ParameterizedTest
    @EnumSource(value = HeadMode.class, names = "PACKED", mode = EnumSource.Mode.EXCLUDE)
    void shouldNotComputeOnceClosedButLeaveTheTensor(HeadMode mode) {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix weight = HeadCases.weight(TensorFormat.F16, 40, 64, 10, arena);
            EmbeddingLayer head = HeadCases.head(mode, weight, ALONE);
            head.close();
            head.close();
            assertThrows(IllegalStateException.class, () -> HeadCases.logits(head, new float[64], 0, 1, ALONE));
            assertEquals(40, HeadCases.logits(HeadCases.head(HeadMode.PACKED, weight, ALONE), new float[64], 0, 1, ALONE).length);
        }
    }

    @ParameterizedTest
    @EnumSource(value = HeadMode.class, names = "PACKED", mode = EnumSource.Mode.EXCLUDE)
    void shouldFreeTheCopyIfBuildingFails(HeadMode mode) {
        try (Arena arena = Arena.ofShared()) {
            PanelMatrix weight = HeadCases.weight(TensorFormat.F32, 600, 64, 10, arena);
            WorkerTeam failing = new WorkerTeam() {
                @Override
                public int size() {
                    return 1;
                }

                @Override
                public void forEachRange(int items, int grain, RangeTask task) {
                    task.run(0, grain);
                    throw new IllegalStateException("the builder was stopped");
                }
            };
            assertThrows(IllegalStateException.class, () -> HeadCases.head(mode, weight, failing));
        }
    }
}

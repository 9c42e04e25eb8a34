package dev.tidestream.model.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.kernels.jit.attention.GeneratedAttention;
import dev.tidestream.model.machine.Cpu;
import dev.tidestream.model.tensor.AttentionShape;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;
import dev.tidestream.model.tensor.KvType;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * Attention: vector kernels and machine code against the oracle, tiles against single rows, the oracle against double arithmetic.
 */
class AttentionKernelsTest {
    private static final long SEED = 20261124;
    private static final float SCALE = 0.25f;

    private final Kernels scalar = KernelSelection.scalar();
    // The same, or machine code.
    private final Set<Kernels> fast = new LinkedHashSet<>(List.of(KernelSelection.vector(), KernelSelection.fastest()));

    @ParameterizedTest
    @EnumSource(KvType.class)
    void shouldAttendToTheOraclesBits(KvType type) {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int headDim : new int[] {2, 8, 32, 48, 64, 80, 96, 128, 192}) {
            for (int group : new int[] {1, 2, 3, 4, 7, 8}) {
                try (Arena arena = Arena.ofShared()) {
                    AttentionShape shape = new AttentionShape(2 * group, 2, headDim, SCALE);
                    KvHead head = head(type, headDim, 128, random, arena);
                    for (int positions : new int[] {1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 128}) {
                        assertTile(shape, head, Math.min(1 + random.nextInt(6), 129 - positions), positions, random);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(KvType.class)
    void shouldJoinSegmentsToTheOraclesBits(KvType type) {
        SplittableRandom random = new SplittableRandom(SEED + 1);
        try (Arena arena = Arena.ofShared()) {
            AttentionShape shape = new AttentionShape(8, 2, 64, SCALE);
            KvHead head = head(type, 64, 1200, random, arena);
            for (int positions : new int[] {250, 255, 256, 257, 288, 511, 512, 513, 767, 1000, 1024, 1190}) {
                for (int rows : new int[] {1, 2, 8, 9}) {
                    assertTile(shape, head, rows, positions, random);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(KvType.class)
    void shouldLookThroughAWindowToTheOraclesBits(KvType type) {
        SplittableRandom random = new SplittableRandom(SEED + 5);
        try (Arena arena = Arena.ofShared()) {
            for (int headDim : new int[] {32, 48, 96}) {
                KvHead head = head(type, headDim, 1200, random, arena);
                for (int window : new int[] {1, 2, 7, 8, 16, 31, 33, 64, 100, 255, 256, 257, 300, 512, 1199, 5000}) {
                    int group = 1 + random.nextInt(5);
                    AttentionShape shape = new AttentionShape(2 * group, 2, headDim, 2 * group * headDim, SCALE, 0, window);
                    for (int positions : new int[] {1, 5, 8, 9, 33, 64, 250, 256, 257, 264, 280, 520, 1000, 1160}) {
                        assertTile(shape, head, 1 + random.nextInt(34), positions, random);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(KvType.class)
    void shouldCapScoresToTheOraclesBits(KvType type) {
        SplittableRandom random = new SplittableRandom(SEED + 6);
        try (Arena arena = Arena.ofShared()) {
            KvHead head = head(type, 64, 600, random, arena);
            for (int window : new int[] {0, 20, 300}) {
                for (float cap : new float[] {0.5f, 3f, 50f}) {
                    AttentionShape shape = new AttentionShape(6, 2, 64, 400, SCALE, cap, window);
                    for (int positions : new int[] {1, 15, 16, 17, 100, 256, 300, 560}) {
                        assertTile(shape, head, 1 + random.nextInt(10), positions, random);
                    }
                }
            }
        }
    }

    /** With vectors of 256 bits and of 512, whichever the kernels of this run have. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldWriteProgramsOfBothWidths(boolean wide) {
        assumeTrue(Cpu.level() == Cpu.Level.AVX512_VNNI || (!wide && Cpu.level() != Cpu.Level.NONE), "no machine code here");
        GeneratedAttention machine = GeneratedAttention.assemble(wide).orElseThrow();
        SplittableRandom random = new SplittableRandom(SEED + 7);
        try (Arena arena = Arena.ofShared()) {
            KvHead head = head(KvType.F16, 48, 600, random, arena);
            for (int window : new int[] {0, 9, 40, 290}) {
                for (float cap : new float[] {0, 2f}) {
                    AttentionShape shape = new AttentionShape(6, 2, 48, 300, SCALE, cap, window);
                    for (int positions : new int[] {1, 14, 100, 250, 300, 560}) {
                        float[] query = floats(9 * shape.queryStride(), 4, random);
                        float[] expected = new float[9 * shape.rowSize()];
                        float[] actual = new float[9 * shape.rowSize()];
                        scalar.attend(shape, head, query, 0, expected, 0, 9, positions);
                        machine.attend(shape, head, query, 0, actual, 0, 9, positions);
                        assertArrayEquals(bits(expected), bits(actual), () -> "positions=%d, %s".formatted(positions, shape));
                    }
                }
            }
        }
    }

    private void assertTile(AttentionShape shape, KvHead head, int rows, int positions, SplittableRandom random) {
        int of = shape.group() * shape.headDim(); // the second key/value head's
        int queryOffset = 3 + of;
        int offset = 5 + of;
        float[] query = floats(rows * shape.queryStride() + queryOffset, 4, random);
        int size = rows * shape.rowSize() + offset;
        float[] expected = new float[size];
        scalar.attend(shape, head, query, queryOffset, expected, offset, rows, positions);
        for (Kernels each : fast) {
            float[] actual = new float[size];
            each.attend(shape, head, query, queryOffset, actual, offset, rows, positions);
            assertArrayEquals(bits(expected), bits(actual),
                    () -> "%s, seed=%d, %s, positions=%d, rows=%d".formatted(each.title(), SEED, shape, positions, rows));

            float[] alone = new float[size];
            for (int row = 0; row < rows; row++) {
                each.attend(shape, head, query, queryOffset + row * shape.queryStride(), alone, offset + row * shape.rowSize(), 1,
                        positions + row);
            }
            assertArrayEquals(bits(expected), bits(alone),
                    () -> "%s, alone: %s, positions=%d, rows=%d".formatted(each.title(), shape, positions, rows));
        }
    }

    @ParameterizedTest
    @CsvSource({"F16, 0, 0", "F32, 0, 0", "F32, 0, 100", "F32, 4, 0", "F16, 4, 300"})
    void shouldBeCloseToAttentionInDouble(KvType type, float cap, int window) {
        SplittableRandom random = new SplittableRandom(SEED + 2);
        int headDim = 64;
        try (Arena arena = Arena.ofShared()) {
            AttentionShape shape = new AttentionShape(4, 1, headDim, 4 * headDim, 0.125f, cap, window);
            KvHead head = head(type, headDim, 2000, random, arena);
            for (int positions : new int[] {1, 40, 300, 2000}) {
                float[] query = floats(4 * headDim, 4, random);
                float[] out = new float[4 * headDim];
                scalar.attend(shape, head, query, 0, out, 0, 1, positions);
                for (int i = 0; i < out.length; i++) {
                    double exact = exact(shape, head, query, i / headDim * headDim, positions, i % headDim);
                    assertEquals(exact, out[i], 2e-5, "positions=%d, i=%d".formatted(positions, i));
                }
            }
        }
    }

    private static double exact(AttentionShape shape, KvHead head, float[] query, int at, int positions, int d) {
        int first = shape.window() == 0 ? 0 : Math.max(0, positions - shape.window());
        double[] scores = new double[positions - first];
        for (int t = first; t < positions; t++) {
            double score = 0;
            for (int k = 0; k < head.headDim(); k++) {
                score += (double) query[at + k] * head.key(t, k) * shape.scale();
            }
            scores[t - first] = shape.softcap() == 0 ? score : shape.softcap() * Math.tanh(score / shape.softcap());
        }
        double max = Arrays.stream(scores).max().orElseThrow();
        double sum = 0;
        double value = 0;
        for (int t = first; t < positions; t++) {
            double weight = Math.exp(scores[t - first] - max);
            sum += weight;
            value += weight * head.value(t, d);
        }
        return value / sum;
    }

    @Test
    void shouldRoundToTheNearestF16() {
        float[] given = {1f, 1f + 0x1p-11f, 1f + 0x1.8p-10f, 1f + 0x1.4p-10f, 0x1p-25f, 0x1.1p-25f, 0x1p-24f, -0x1.8p-24f, -0f,
                65519.9f};
        float[] stored = {1f, 1f, 1f + 0x1p-9f, 1f + 0x1p-10f, 0f, 0x1p-24f, 0x1p-24f, -0x1p-23f, -0f, 65504f};
        assertStored(KvType.F16, given, stored, true);
        assertStored(KvType.F32, given, given, true);
    }

    @Test
    void shouldSaturateAtTheEndOfF16() {
        float[] given = {65504f, 65520f, 1e6f, Float.MAX_VALUE, -65520f, -Float.MAX_VALUE, 0x1p-149f, -1f};
        assertStored(KvType.F16, given, new float[] {65504f, 65504f, 65504f, 65504f, -65504f, -65504f, 0f, -1f}, true);
        assertStored(KvType.F32, given, given, true);
    }

    @ParameterizedTest
    @EnumSource(KvType.class)
    void shouldTellWhatIsNotFinite(KvType type) {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            try (Arena arena = Arena.ofShared()) {
                KvHead head = empty(type, 4, 32, arena);
                float[] fine = {1, 2, 3, Float.MAX_VALUE};
                float[] poisoned = {1, 2, bad, 3};
                assertTrue(head.put(0, fine, 0, fine, 0));
                assertFalse(head.put(1, poisoned, 0, fine, 0));
                assertFalse(head.put(2, fine, 0, poisoned, 0));
            }
        }
    }

    /** Blocks that a pool lends again hold what they held before: nothing beyond a row's positions may have any effect. */
    @ParameterizedTest
    @EnumSource(KvType.class)
    void shouldNotLookBeyondItsPositions(KvType type) {
        SplittableRandom random = new SplittableRandom(SEED + 3);
        try (Arena arena = Arena.ofShared()) {
            AttentionShape shape = new AttentionShape(3, 1, 48, SCALE);
            KvHead clean = empty(type, 48, 320, arena);
            KvHead dirty = empty(type, 48, 320, arena);
            for (MemorySegment block : dirty.blocks()) {
                block.fill((byte) 0xff); // NaN
            }
            for (int t = 0; t < 270; t++) {
                float[] key = floats(48, 1, random);
                float[] value = floats(48, 1, random);
                clean.put(t, key, 0, value, 0);
                dirty.put(t, key, 0, value, 0);
            }
            float[] query = floats(2 * shape.rowSize(), 1, random);
            float[] expected = new float[query.length];
            scalar.attend(shape, clean, query, 0, expected, 0, 2, 269);
            for (Kernels each : fast) {
                float[] actual = new float[query.length];
                each.attend(shape, dirty, query, 0, actual, 0, 2, 269);
                assertArrayEquals(bits(expected), bits(actual), each.title());
            }
        }
    }

    /** F32 can store them; the engine ends such streams, and the bits are the oracle's all the same. */
    @Test
    void shouldKeepWhatIsNotFinite() {
        float[] bad = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
        for (int many : new int[] {1, 40, 300}) {
            for (float value : bad) {
                SplittableRandom random = new SplittableRandom(SEED + 4);
                try (Arena arena = Arena.ofShared()) {
                    AttentionShape shape = new AttentionShape(4, 1, 32, SCALE);
                    KvHead head = empty(KvType.F32, 32, 320, arena);
                    for (int t = 0; t < 300; t++) {
                        float[] key = floats(32, 1, random);
                        key[t % 32] = t < many ? value : key[t % 32];
                        head.put(t, key, 0, floats(32, 1, random), 0);
                    }
                    float[] query = floats(2 * shape.rowSize(), 1, random);
                    float[] expected = new float[query.length];
                    scalar.attend(shape, head, query, 0, expected, 0, 2, 299);
                    for (Kernels each : fast) {
                        float[] actual = new float[query.length];
                        each.attend(shape, head, query, 0, actual, 0, 2, 299);
                        for (int i = 0; i < actual.length; i++) { // one NaN is as good as another
                            int at = i;
                            assertEquals(Float.floatToIntBits(expected[i]), Float.floatToIntBits(actual[i]),
                                    () -> "%s, value=%s, many=%d, i=%d".formatted(each.title(), value, many, at));
                        }
                    }
                }
            }
        }
    }

    @Test
    void shouldRefuseATileOfNothing() {
        try (Arena arena = Arena.ofShared()) {
            AttentionShape shape = new AttentionShape(4, 1, 32, SCALE);
            KvHead head = empty(KvType.F16, 32, 64, arena);
            float[] row = new float[shape.rowSize()];
            KernelSelection.generated().ifPresent(machine -> {
                assertThrows(IllegalArgumentException.class, () -> machine.attend(shape, head, row, 0, row, 0, 0, 2));
                assertThrows(IllegalArgumentException.class, () -> machine.attend(shape, head, row, 0, row, 0, 1, 0));
            });
        }
    }

    private static void assertStored(KvType type, float[] given, float[] stored, boolean finite) {
        try (Arena arena = Arena.ofShared()) {
            KvHead head = empty(type, given.length, 64, arena);
            for (int position : new int[] {0, 17, 31, 32, 63}) {
                assertEquals(finite, head.put(position, given, 0, given, 0));
                for (int d = 0; d < given.length; d++) {
                    assertEquals(stored[d], head.key(position, d), "position=%d, d=%d".formatted(position, d));
                    assertEquals(stored[d], head.value(position, d), "position=%d, d=%d".formatted(position, d));
                }
            }
        }
    }

    private static KvHead empty(KvType type, int headDim, int positions, Arena arena) {
        MemorySegment[] blocks = new MemorySegment[Math.ceilDiv(positions, KvHead.BLOCK_POSITIONS)];
        long keyBytes = KvHead.keyBytes(headDim, type);
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = arena.allocate(64 + keyBytes + KvHead.valueBytes(headDim, type), 64);
        }
        return new KvHead(blocks, 64, 64 + keyBytes, headDim, type);
    }

    private static KvHead head(KvType type, int headDim, int positions, SplittableRandom random, Arena arena) {
        KvHead head = empty(type, headDim, positions, arena);
        for (int t = 0; t < positions; t++) {
            head.put(t, floats(headDim, 1, random), 0, floats(headDim, 2, random), 0);
        }
        return head;
    }

    private static float[] floats(int n, float size, SplittableRandom random) {
        float[] out = new float[n];
        for (int i = 0; i < n; i++) {
            out[i] = (float) random.nextGaussian() * size;
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

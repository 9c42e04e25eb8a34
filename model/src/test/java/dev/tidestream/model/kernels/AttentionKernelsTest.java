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
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.tensor.AttentionShape;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;
import dev.tidestream.model.tensor.KvType;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Attention: vector kernels and machine code against the oracle, tiles against single rows, the oracle against double arithmetic. */
class AttentionKernelsTest {
    private static final long SEED = 20261124;
    private static final float SCALE = 0.25f;

    private final Kernels scalar = KernelSelection.scalar();
    private final Set<Kernels> fast = new LinkedHashSet<>(List.of(KernelSelection.vector(), KernelSelection.fastest())); // the same, or machine code

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

    private void assertTile(AttentionShape shape, KvHead head, int rows, int positions, SplittableRandom random) {
        int size = rows * shape.rowSize();
        int offset = 3 + shape.group() * shape.headDim(); // the second key/value head's
        float[] query = floats(size + offset, 4, random);
        float[] expected = new float[size + offset];
        scalar.attend(shape, head, query, expected, offset, rows, positions);
        for (Kernels each : fast) {
            float[] actual = new float[size + offset];
            each.attend(shape, head, query, actual, offset, rows, positions);
            assertArrayEquals(bits(expected), bits(actual),
                    () -> "%s, seed=%d, %s, positions=%d, rows=%d".formatted(each.title(), SEED, shape, positions, rows));

            float[] alone = new float[size + offset];
            for (int row = 0; row < rows; row++) {
                each.attend(shape, head, query, alone, offset + row * shape.rowSize(), 1, positions + row);
            }
            assertArrayEquals(bits(expected), bits(alone),
                    () -> "%s, alone: %s, positions=%d, rows=%d".formatted(each.title(), shape, positions, rows));
        }
    }

    @ParameterizedTest
    @EnumSource(KvType.class)
    void shouldBeCloseToAttentionInDouble(KvType type) {
        SplittableRandom random = new SplittableRandom(SEED + 2);
        int headDim = 64;
        try (Arena arena = Arena.ofShared()) {
            AttentionShape shape = new AttentionShape(4, 1, headDim, 0.125f);
            KvHead head = head(type, headDim, 2000, random, arena);
            for (int positions : new int[] {1, 40, 300, 2000}) {
                float[] query = floats(4 * headDim, 4, random);
                float[] out = new float[4 * headDim];
                scalar.attend(shape, head, query, out, 0, 1, positions);
                for (int i = 0; i < out.length; i++) {
                    double exact = exact(head, query, i / headDim * headDim, positions, 0.125, i % headDim);
                    assertEquals(exact, out[i], 2e-5, "positions=%d, i=%d".formatted(positions, i));
                }
            }
        }
    }

    private static double exact(KvHead head, float[] query, int at, int positions, double scale, int d) {
        double[] scores = new double[positions];
        for (int t = 0; t < positions; t++) {
            for (int k = 0; k < head.headDim(); k++) {
                scores[t] += (double) query[at + k] * head.key(t, k) * scale;
            }
        }
        double max = Arrays.stream(scores).max().orElseThrow();
        double sum = 0;
        double value = 0;
        for (int t = 0; t < positions; t++) {
            double weight = Math.exp(scores[t] - max);
            sum += weight;
            value += weight * head.value(t, d);
        }
        return value / sum;
    }

    @Test
    void shouldRoundToTheNearestF16() {
        float[] given = {1f, 1f + 0x1p-11f, 1f + 0x1.8p-10f, 1f + 0x1.4p-10f, 0x1p-25f, 0x1.1p-25f, 0x1p-24f, -0x1.8p-24f, -0f, 65519.9f};
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
                float[] spoiled = {1, 2, bad, 3};
                assertTrue(head.put(0, fine, 0, fine, 0));
                assertFalse(head.put(1, spoiled, 0, fine, 0));
                assertFalse(head.put(2, fine, 0, spoiled, 0));
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
            scalar.attend(shape, clean, query, expected, 0, 2, 269);
            for (Kernels each : fast) {
                float[] actual = new float[query.length];
                each.attend(shape, dirty, query, actual, 0, 2, 269);
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
                    scalar.attend(shape, head, query, expected, 0, 2, 299);
                    for (Kernels each : fast) {
                        float[] actual = new float[query.length];
                        each.attend(shape, head, query, actual, 0, 2, 299);
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
                assertThrows(IllegalArgumentException.class, () -> machine.attend(shape, head, row, row, 0, 0, 2));
                assertThrows(IllegalArgumentException.class, () -> machine.attend(shape, head, row, row, 0, 1, 0));
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

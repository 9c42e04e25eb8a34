package dev.tidestream.model.format;

import java.util.Arrays;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.format.base.BlockBytes;
import dev.tidestream.model.format.base.BlockFormat;
import dev.tidestream.model.format.bf16.BF16;
import dev.tidestream.model.format.iq4nl.IQ4NL;
import dev.tidestream.model.format.q40.Q40;
import dev.tidestream.model.format.q41.Q41;
import dev.tidestream.model.format.q51.Q51;
import dev.tidestream.model.format.q80.Q80;
import dev.tidestream.model.tensor.Vectors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** From floats to blocks, by values worked out by hand. */
class EncodersTest {
    private static final BF16 BRAIN = new BF16();
    private static final BlockFormat Q8 = new Q80();
    private static final BlockFormat Q4 = new Q40();

    @Test
    void shouldRoundToBFloat16ToNearestTiesToEven() {
        assertEquals((short) 0x3f80, BRAIN.toBits(1f));
        assertEquals((short) 0x3f80, bfloat(0x3f808000)); // a tie, even below
        assertEquals((short) 0x3f82, bfloat(0x3f818000)); // a tie, even above
        assertEquals((short) 0x3f81, bfloat(0x3f808001));
        assertEquals((short) 0x3f80, bfloat(0x3f807fff));
        assertEquals((short) 0x8000, BRAIN.toBits(-0f));
        assertEquals((short) 0x0001, bfloat(0x0000ffff)); // subnormals are not flushed
        assertEquals((short) 0x7f80, BRAIN.toBits(Float.MAX_VALUE)); // beyond the largest
        assertTrue(Float.isNaN(Float.intBitsToFloat(bfloat(0x7fffffff) << 16)));
    }

    @Test
    void shouldGiveBackEveryBFloat16AndHalf() {
        for (int bits = 0; bits < 0x10000; bits++) {
            float brain = Float.intBitsToFloat(bits << 16);
            float half = Float.float16ToFloat((short) bits);
            if (Float.isFinite(brain)) {
                assertEquals((short) bits, BRAIN.toBits(brain));
                assertBits(brain, Vectors.round(TensorFormat.BF16, brain));
            }
            if (Float.isFinite(half)) {
                assertBits(half, Vectors.round(TensorFormat.F16, half));
            }
        }
    }

    @Test
    void shouldRefuseToRoundOneValueToABlockFormat() {
        assertThrows(IllegalArgumentException.class, () -> Vectors.round(TensorFormat.Q8_0, 1f));
        assertThrows(IllegalArgumentException.class, () -> Vectors.round(TensorFormat.Q4_0, 1f));
    }

    @Test
    void shouldRoundQ8HalvesAwayFromZero() {
        float[] x = new float[32];
        float[] ends = {127f, 0.5f, -0.5f, 1.5f, -1.5f, 2.5f, 0.49999997f, -0.49999997f, 126.5f, -126.5f};
        System.arraycopy(ends, 0, x, 0, ends.length); // the scale is 1
        BlockBytes block = encode(Q8, x);
        assertEquals(Float.floatToFloat16(1f), block.d);
        byte[] expected = Arrays.copyOf(new byte[] {127, 1, -1, 2, -2, 3, 0, 0, 127, -127}, 32);
        assertArrayEquals(expected, block.bytes);
    }

    @Test
    void shouldGiveTheFirstLargestValueOfAQ4BlockMinusEight() {
        float[] x = new float[32];
        x[3] = -4f;
        x[20] = 4f;
        BlockBytes block = encode(Q4, x);
        assertEquals(Float.floatToFloat16(0.5f), block.d); // -4 / -8
        byte[] expected = new byte[16];
        Arrays.fill(expected, (byte) 0x88);
        expected[3] = (byte) 0x80; // value 3 is -8, value 19 is 0
        expected[4] = (byte) 0xf8; // value 20 would be +8, and is cut to 7
        assertArrayEquals(expected, block.bytes);
    }

    @Test
    void shouldFindTheTableOfIQ4NL() {
        float[] table = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
        float[] x = new float[32];
        byte[] expected = new byte[16];
        for (int j = 0; j < 32; j++) {
            x[j] = -0.25f * table[15 - j % 16];
            expected[j % 16] |= (byte) ((15 - j % 16) << (j < 16 ? 0 : 4));
        }
        BlockBytes block = encode(new IQ4NL(), x);
        assertEquals(Float.floatToFloat16(-0.25f), block.d);
        assertArrayEquals(expected, block.bytes);
        BlockBytes zeros = encode(new IQ4NL(), new float[32]);
        assertEquals((short) 0, zeros.d);
    }

    @Test
    void shouldGoFromTheSmallestToTheLargestWithAMinimum() {
        float[] x = new float[32];
        for (int j = 0; j < 32; j++) {
            x[j] = -1f + 0.0625f * (j % 16);
        }
        BlockBytes four = encode(new Q41(), x);
        assertEquals(Float.floatToFloat16(0.0625f), four.d);
        assertEquals(Float.floatToFloat16(-1f), four.m);
        byte[] pairs = new byte[16];
        for (int j = 0; j < 16; j++) {
            pairs[j] = (byte) (j | j << 4);
        }
        assertArrayEquals(pairs, four.bytes);
        for (int j = 0; j < 32; j++) {
            x[j] = -1f + 0.0625f * j;
        }
        BlockBytes five = encode(new Q51(), x);
        assertEquals(Float.floatToFloat16(0.0625f), five.d);
        assertEquals(Float.floatToFloat16(-1f), five.m);
        byte[] bits = Arrays.copyOf(new byte[] {0, 0, -1, -1}, 20);
        System.arraycopy(pairs, 0, bits, 4, 16);
        assertArrayEquals(bits, five.bytes);
        Arrays.fill(x, 3f);
        assertArrayEquals(new byte[20], encode(new Q51(), x).bytes, "a constant is its minimum");
    }

    @Test
    void shouldEncodeZeros() {
        BlockBytes eight = encode(Q8, new float[32]);
        assertEquals((short) 0, eight.d);
        assertArrayEquals(new byte[32], eight.bytes);
        BlockBytes four = encode(Q4, new float[32]);
        assertEquals((short) 0x8000, four.d); // ggml: 0 / -8
        byte[] middle = new byte[16];
        Arrays.fill(middle, (byte) 0x88);
        assertArrayEquals(middle, four.bytes);
    }

    @Test
    void shouldEncodeValuesWhoseScaleHasNoReciprocal() {
        float[] x = new float[32];
        Arrays.fill(x, 0, 16, Float.MIN_VALUE);
        x[5] = -1e-39f;
        BlockBytes eight = encode(Q8, x);
        assertEquals((short) 0, eight.d);
        assertArrayEquals(new byte[32], eight.bytes);
        BlockBytes four = encode(Q4, x);
        assertEquals((short) 0, four.d);
        byte[] middle = new byte[16];
        Arrays.fill(middle, (byte) 0x88);
        assertArrayEquals(middle, four.bytes);
    }

    @Test
    void shouldStayWithinHalfAStep() {
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 10_000; i++) {
            float[] x = new float[32];
            double size = Math.scalb(1.0, random.nextInt(-8, 8));
            for (int j = 0; j < 32; j++) {
                x[j] = (float) (random.nextGaussian() * size);
            }
            BlockBytes block = encode(Q8, x);
            float scale = Float.float16ToFloat(block.d);
            for (int j = 0; j < 32; j++) {
                assertEquals(x[j], scale * block.bytes[j], scale * (0.5 + 127 * 0x1p-11 + 1e-3), "x=" + x[j]);
            }
        }
    }

    private static BlockBytes encode(BlockFormat format, float[] x) {
        BlockBytes block = format.newBlock();
        Arrays.fill(block.bytes, (byte) 99);
        format.encode(x, block);
        return block;
    }

    private static short bfloat(int bits) {
        return BRAIN.toBits(Float.intBitsToFloat(bits));
    }

    private static void assertBits(float expected, float actual) {
        assertEquals(Float.floatToRawIntBits(expected), Float.floatToRawIntBits(actual));
    }
}

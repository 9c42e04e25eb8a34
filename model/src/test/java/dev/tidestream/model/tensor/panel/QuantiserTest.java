package dev.tidestream.model.tensor.panel;

import java.util.Arrays;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.tensor.TensorFormat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class QuantiserTest {

    @Test
    void shouldRoundToBFloat16ToNearestTiesToEven() {
        assertEquals((short) 0x3f80, Quantiser.toBFloat16(1f));
        assertEquals((short) 0x3f80, bfloat(0x3f808000)); // a tie, even below
        assertEquals((short) 0x3f82, bfloat(0x3f818000)); // a tie, even above
        assertEquals((short) 0x3f81, bfloat(0x3f808001));
        assertEquals((short) 0x3f80, bfloat(0x3f807fff));
        assertEquals((short) 0x8000, Quantiser.toBFloat16(-0f));
        assertEquals((short) 0x0001, bfloat(0x0000ffff)); // subnormals are not flushed
        assertEquals((short) 0x7f80, Quantiser.toBFloat16(Float.MAX_VALUE)); // beyond the largest
        assertTrue(Float.isNaN(Float.intBitsToFloat(bfloat(0x7fffffff) << 16)));
    }

    @Test
    void shouldGiveBackEveryBFloat16AndHalf() {
        for (int bits = 0; bits < 0x10000; bits++) {
            float brain = Float.intBitsToFloat(bits << 16);
            float half = Float.float16ToFloat((short) bits);
            if (Float.isFinite(brain)) {
                assertEquals((short) bits, Quantiser.toBFloat16(brain));
                assertBits(brain, Quantiser.round(TensorFormat.BF16, brain));
            }
            if (Float.isFinite(half)) {
                assertBits(half, Quantiser.round(TensorFormat.F16, half));
            }
        }
    }

    @Test
    void shouldRefuseToRoundOneValueToABlockFormat() {
        assertThrows(IllegalArgumentException.class, () -> Quantiser.round(TensorFormat.Q8_0, 1f));
        assertThrows(IllegalArgumentException.class, () -> Quantiser.round(TensorFormat.Q4_0, 1f));
    }

    @Test
    void shouldRoundQ8HalvesAwayFromZero() {
        float[] x = new float[34];
        float[] ends = {127f, 0.5f, -0.5f, 1.5f, -1.5f, 2.5f, 0.49999997f, -0.49999997f, 126.5f, -126.5f};
        System.arraycopy(ends, 0, x, 2, ends.length); // the scale is 1
        byte[] quants = new byte[32];
        assertEquals(Float.floatToFloat16(1f), Quantiser.q8(x, 2, quants));
        byte[] expected = Arrays.copyOf(new byte[] {127, 1, -1, 2, -2, 3, 0, 0, 127, -127}, 32);
        assertArrayEquals(expected, quants);
    }

    @Test
    void shouldGiveTheFirstLargestValueOfAQ4BlockMinusEight() {
        float[] x = new float[32];
        x[3] = -4f;
        x[20] = 4f;
        byte[] pairs = new byte[16];
        assertEquals(Float.floatToFloat16(0.5f), Quantiser.q4(x, 0, pairs)); // -4 / -8
        byte[] expected = new byte[16];
        Arrays.fill(expected, (byte) 0x88);
        expected[3] = (byte) 0x80; // value 3 is -8, value 19 is 0
        expected[4] = (byte) 0xf8; // value 20 would be +8, and is cut to 7
        assertArrayEquals(expected, pairs);
    }

    @Test
    void shouldEncodeZeros() {
        byte[] quants = new byte[32];
        Arrays.fill(quants, (byte) 99);
        assertEquals((short) 0, Quantiser.q8(new float[32], 0, quants));
        assertArrayEquals(new byte[32], quants);
        byte[] pairs = new byte[16];
        assertEquals((short) 0x8000, Quantiser.q4(new float[32], 0, pairs)); // ggml: 0 / -8
        byte[] middle = new byte[16];
        Arrays.fill(middle, (byte) 0x88);
        assertArrayEquals(middle, pairs);
    }

    @Test
    void shouldEncodeValuesWhoseScaleHasNoReciprocal() {
        float[] x = new float[32];
        Arrays.fill(x, 0, 16, Float.MIN_VALUE);
        x[5] = -1e-39f;
        byte[] quants = new byte[32];
        assertEquals((short) 0, Quantiser.q8(x, 0, quants));
        assertArrayEquals(new byte[32], quants);
        byte[] pairs = new byte[16];
        assertEquals((short) 0, Quantiser.q4(x, 0, pairs));
        byte[] middle = new byte[16];
        Arrays.fill(middle, (byte) 0x88);
        assertArrayEquals(middle, pairs);
    }

    @Test
    void shouldStayWithinHalfAStep() {
        SplittableRandom random = new SplittableRandom(7);
        byte[] quants = new byte[32];
        for (int i = 0; i < 10_000; i++) {
            float[] x = new float[32];
            double size = Math.scalb(1.0, random.nextInt(-8, 8));
            for (int j = 0; j < 32; j++) {
                x[j] = (float) (random.nextGaussian() * size);
            }
            float scale = Float.float16ToFloat(Quantiser.q8(x, 0, quants));
            for (int j = 0; j < 32; j++) {
                assertEquals(x[j], scale * quants[j], scale * (0.5 + 127 * 0x1p-11 + 1e-3), "x=" + x[j]);
            }
        }
    }

    private static short bfloat(int bits) {
        return Quantiser.toBFloat16(Float.intBitsToFloat(bits));
    }

    private static void assertBits(float expected, float actual) {
        assertEquals(Float.floatToRawIntBits(expected), Float.floatToRawIntBits(actual));
    }
}

package dev.tidestream.model.tensor.panel;

import dev.tidestream.model.tensor.PanelLayout;
import dev.tidestream.model.tensor.TensorFormat;

/**
 * From float32 to the element formats, with the bits of ggml's reference quantisers ({@code quantize_row_q8_0_ref},
 * {@code quantize_row_q4_0_ref}, {@code ggml_compute_fp32_to_bf16}): a block encoded here is the block {@code llama-quantize}
 * writes without an importance matrix. All arithmetic is float32, in ggml's order.
 *
 * <p>Values are finite. What is too large for a format becomes an infinite element or an infinite scale, which the caller looks
 * for. Where ggml leaves the result to the compiler (a block whose scale is so small that its reciprocal is infinite, largest
 * magnitude below about 4e-37) the quants are those of zeros; the F16 scale is zero there anyway.
 */
public final class Quantiser {
    private static final int BLOCK = PanelLayout.BLOCK;
    private static final int PAIRS = BLOCK / 2;

    private Quantiser() {}

    /**
     * Rounds one value through a format, to nearest, ties to even.
     *
     * @return the value a tensor of this format holds; infinite if it is beyond the format's largest
     * @throws IllegalArgumentException if the format is quantised
     */
    public static float round(TensorFormat format, float value) {
        return switch (format) {
            case F32 -> value;
            case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
            case BF16 -> Float.intBitsToFloat(toBFloat16(value) << 16);
            case Q8_0, Q4_0, Q4_K, Q5_K, Q6_K ->
                    throw new IllegalArgumentException("one value alone cannot be quantised: " + format);
        };
    }

    /** The upper half of a single, rounded to nearest, ties to even. */
    static short toBFloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 64); // rounding could carry a NaN over to infinity
        }
        return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
    }

    /**
     * Q8_0.
     *
     * @param x 32 values from {@code offset}
     * @param quants receives 32 signed bytes
     * @return bits of the F16 scale
     */
    static short q8(float[] x, int offset, byte[] quants) {
        float largest = 0;
        for (int j = 0; j < BLOCK; j++) {
            largest = Math.max(largest, Math.abs(x[offset + j]));
        }
        float scale = largest / 127;
        float inverse = inverse(scale);
        for (int j = 0; j < BLOCK; j++) {
            quants[j] = (byte) roundAway(x[offset + j] * inverse);
        }
        return Float.floatToFloat16(scale);
    }

    /**
     * Q4_0. The value of largest magnitude (the first, if several) becomes -8, so an all-zero block has the scale -0.
     *
     * @param x 32 values from {@code offset}
     * @param pairs receives 16 bytes: low nibble value {@code j}, high nibble value {@code j + 16}
     * @return bits of the F16 scale
     */
    static short q4(float[] x, int offset, byte[] pairs) {
        float magnitude = 0;
        float largest = 0;
        for (int j = 0; j < BLOCK; j++) {
            float value = x[offset + j];
            if (magnitude < Math.abs(value)) {
                magnitude = Math.abs(value);
                largest = value;
            }
        }
        float scale = largest / -8;
        float inverse = inverse(scale);
        for (int j = 0; j < PAIRS; j++) {
            int low = Math.min(15, (int) (x[offset + j] * inverse + 8.5f));
            int high = Math.min(15, (int) (x[offset + PAIRS + j] * inverse + 8.5f));
            pairs[j] = (byte) (low | high << 4);
        }
        return Float.floatToFloat16(scale);
    }

    private static float inverse(float scale) {
        float inverse = scale == 0 ? 0 : 1 / scale;
        return Float.isInfinite(inverse) ? 0 : inverse;
    }

    /** C's {@code roundf}: halves away from zero. The difference is exact, so 0.49999997 is 0. */
    private static int roundAway(float value) {
        int whole = (int) value;
        float rest = value - whole;
        return whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
    }
}

package dev.tidestream.model.format.bf16;

import dev.tidestream.model.format.base.ShortFormat;

/**
 * The upper half of a single.
 *
 * <pre>
 * column k:  | row 0 | row 16 | row 1 | row 17 | … | row 15 | row 31 |  32 x 2 bytes, k = 0 … columns-1
 * </pre>
 */
public final class BF16 extends ShortFormat {
    public BF16() {
        super(0x7f80, 0x3f80);
    }

    @Override
    public float toFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** Rounds with the bits of ggml's {@code ggml_compute_fp32_to_bf16}. */
    @Override
    public short toBits(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 64); // rounding could carry a NaN over to infinity
        }
        return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
    }
}

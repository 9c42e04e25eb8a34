package dev.tidestream.model.format.f16;

import dev.tidestream.model.format.base.ShortFormat;

/**
 * IEEE half precision.
 *
 * <pre>
 * column k:  | row 0 | row 16 | row 1 | row 17 | … | row 15 | row 31 |  32 x 2 bytes, k = 0 … columns-1
 * </pre>
 */
public final class F16 extends ShortFormat {
    public F16() {
        super(0x7c00, 0x3c00);
    }

    @Override
    public float toFloat(short bits) {
        return Float.float16ToFloat(bits);
    }

    @Override
    public short toBits(float value) {
        return Float.floatToFloat16(value);
    }
}

package dev.tidestream.model.format.q80;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.format.base.BlockBytes;
import dev.tidestream.model.format.base.BlockFormat;
import dev.tidestream.model.format.base.PanelTile;
import dev.tidestream.model.format.base.Rounding;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;

/**
 * 32 signed bytes and one F16 scale: {@code w = d * q}.
 *
 * <pre>
 * block of 32 columns:
 *        | scales: F16, rows 0 16 1 17 … 15 31 |   64 bytes
 *        | column 0: int8, rows 0 16 1 17 … |      32 bytes
 *        | …                                |
 *        | column 31                        |     1088 bytes in all = 32 rows x 34
 * </pre>
 */
public final class Q80 extends BlockFormat {
    /** Bytes of a block of a panel. */
    public static final int Q8_BLOCK_BYTES = SCALE_BYTES + ROWS * BLOCK;

    public Q80() {
        super(Rounding.BLOCKS, BLOCK);
    }

    @Override
    protected void quants(MemorySegment data, long lines, int position, byte[] out) {
        for (int j = 0; j < BLOCK; j++) {
            out[j] = data.get(ValueLayout.JAVA_BYTE, lines + (long) j * ROWS + position);
        }
    }

    @Override
    protected void tileQuants(MemorySegment data, long lines, PanelTile out) {
        MemorySegment.copy(data, ValueLayout.JAVA_BYTE, lines, out.quants, 0, BLOCK * ROWS);
    }

    /** With the bits of ggml's {@code quantize_row_q8_0_ref}. */
    @Override
    public void encode(float[] x, BlockBytes out) {
        float scale = Math.abs(largest(x)) / 127;
        float inverse = inverse(scale);
        for (int j = 0; j < BLOCK; j++) {
            out.bytes[j] = (byte) roundAway(x[j] * inverse);
        }
        out.d = Float.floatToFloat16(scale);
    }

    /** C's {@code roundf}: halves away from zero. The difference is exact, so 0.49999997 is 0. */
    private static int roundAway(float value) {
        int whole = (int) value;
        float rest = value - whole;
        return whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
    }
}

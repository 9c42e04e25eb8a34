package dev.tidestream.model.format.q41;

import java.lang.foreign.MemorySegment;

import dev.tidestream.model.format.base.BlockBytes;
import dev.tidestream.model.format.base.BlockFormat;
import dev.tidestream.model.format.base.Nibbles;
import dev.tidestream.model.format.base.PanelTile;
import dev.tidestream.model.format.base.Rounding;

import static dev.tidestream.model.format.base.PanelLayout.HALF;

/**
 * 32 nibbles, an F16 scale and an F16 minimum: {@code w = d * q + m}.
 *
 * <pre>
 * block of 32 columns:
 *        | d: F16, rows 0 16 1 17 … 15 31 |   64 bytes
 *        | m: F16, rows 0 16 1 17 … 15 31 |   64 bytes
 *        | byte j: low nibble column j, high nibble column j + 16, rows 0 16 1 17 … |  32 bytes
 *        | … j = 15                       |  640 bytes in all = 32 rows x 20
 * </pre>
 */
public final class Q41 extends BlockFormat {
    private static final int LARGEST = 15;

    public Q41() {
        super(Rounding.BLOCKS_WITH_MINIMA, Nibbles.BYTES);
    }

    @Override
    protected void quants(MemorySegment data, long lines, int position, byte[] out) {
        Nibbles.row(data, lines, position, 0, out);
    }

    @Override
    protected void tileQuants(MemorySegment data, long lines, PanelTile out) {
        Nibbles.tile(data, lines, 0, out.quants);
    }

    /** With the bits of ggml's {@code quantize_row_q4_1_ref}: from the smallest value to the largest in 15 steps. */
    @Override
    public void encode(float[] x, BlockBytes out) {
        float least = least(x);
        float scale = (most(x) - least) / LARGEST;
        float inverse = inverse(scale);
        for (int j = 0; j < HALF; j++) {
            int low = Math.min(LARGEST, (int) ((x[j] - least) * inverse + 0.5f));
            int high = Math.min(LARGEST, (int) ((x[j + HALF] - least) * inverse + 0.5f));
            out.bytes[j] = Nibbles.pair(low, high);
        }
        out.d = Float.floatToFloat16(scale);
        out.m = Float.floatToFloat16(least);
    }
}

package dev.tidestream.model.format.q40;

import java.lang.foreign.MemorySegment;

import dev.tidestream.model.format.base.BlockBytes;
import dev.tidestream.model.format.base.BlockFormat;
import dev.tidestream.model.format.base.Nibbles;
import dev.tidestream.model.format.base.PanelTile;
import dev.tidestream.model.format.base.Rounding;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.HALF;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;

/**
 * 32 nibbles and one F16 scale: {@code w = d * (q - 8)}.
 *
 * <pre>
 * block of 32 columns:
 *        | scales: F16, rows 0 16 1 17 … 15 31 |   64 bytes
 *        | byte j: low nibble column j, high nibble column j + 16, rows 0 16 1 17 … |  32 bytes
 *        | … j = 15                         |      576 bytes in all = 32 rows x 18
 * </pre>
 */
public final class Q40 extends BlockFormat {
    /** Bytes of a block of a panel. */
    public static final int Q4_BLOCK_BYTES = SCALE_BYTES + ROWS * BLOCK / 2;

    private static final int CENTRE = 8;

    public Q40() {
        super(Rounding.BLOCKS, Nibbles.BYTES);
    }

    @Override
    protected void quants(MemorySegment data, long lines, int position, byte[] out) {
        Nibbles.row(data, lines, position, CENTRE, out);
    }

    @Override
    protected void tileQuants(MemorySegment data, long lines, PanelTile out) {
        Nibbles.tile(data, lines, CENTRE, out.quants);
    }

    /**
     * With the bits of ggml's {@code quantize_row_q4_0_ref}: the value of largest magnitude (the first, if several) becomes -8, so
     * an all-zero block has the scale -0.
     */
    @Override
    public void encode(float[] x, BlockBytes out) {
        float scale = largest(x) / -CENTRE;
        float inverse = inverse(scale);
        for (int j = 0; j < HALF; j++) {
            int low = Math.min(15, (int) (x[j] * inverse + 8.5f));
            int high = Math.min(15, (int) (x[j + HALF] * inverse + 8.5f));
            out.bytes[j] = Nibbles.pair(low, high);
        }
        out.d = Float.floatToFloat16(scale);
    }
}

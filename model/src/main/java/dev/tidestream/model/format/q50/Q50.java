package dev.tidestream.model.format.q50;

import java.lang.foreign.MemorySegment;

import dev.tidestream.model.format.base.BlockBytes;
import dev.tidestream.model.format.base.BlockFormat;
import dev.tidestream.model.format.base.Nibbles;
import dev.tidestream.model.format.base.PanelTile;
import dev.tidestream.model.format.base.Rounding;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;

/**
 * 32 integers of 5 bits and one F16 scale: {@code w = d * (q - 16)}.
 *
 * <pre>
 * block of 32 columns:
 *        | d: F16, rows 0 16 1 17 … 15 31 |   64 bytes
 *        | byte i: fifth bits of columns 8 i … 8 i + 7, the lowest bit first, rows 0 16 1 17 … |  32 bytes
 *        | … i = 3                        |
 *        | byte j: low nibble column j, high nibble column j + 16, rows 0 16 1 17 … |  32 bytes
 *        | … j = 15                       |  704 bytes in all = 32 rows x 22
 * </pre>
 */
public final class Q50 extends BlockFormat {
    private static final int CENTRE = 16;
    private static final int LARGEST = 31;

    public Q50() {
        super(Rounding.BLOCKS, Nibbles.BIT_BYTES + Nibbles.BYTES);
    }

    @Override
    protected void quants(MemorySegment data, long lines, int position, byte[] out) {
        Nibbles.row(data, lines + Nibbles.BIT_LINES, position, CENTRE, out);
        Nibbles.addBits(data, lines, position, out);
    }

    @Override
    protected void tileQuants(MemorySegment data, long lines, PanelTile out) {
        Nibbles.tile(data, lines + Nibbles.BIT_LINES, lines, CENTRE, out.quants);
    }

    /** With the bits of ggml's {@code quantize_row_q5_0_ref}: the value of largest magnitude (the first, if several) becomes -16. */
    @Override
    public void encode(float[] x, BlockBytes out) {
        float scale = largest(x) / -CENTRE;
        float inverse = inverse(scale);
        int[] quants = new int[BLOCK];
        for (int j = 0; j < BLOCK; j++) {
            quants[j] = Math.min(LARGEST, (int) (x[j] * inverse + 16.5f));
        }
        Nibbles.putWithBits(quants, out.bytes);
        out.d = Float.floatToFloat16(scale);
    }
}

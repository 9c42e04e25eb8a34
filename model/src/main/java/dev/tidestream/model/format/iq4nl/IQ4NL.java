package dev.tidestream.model.format.iq4nl;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

import dev.tidestream.model.format.base.BlockBytes;
import dev.tidestream.model.format.base.BlockFormat;
import dev.tidestream.model.format.base.Nibbles;
import dev.tidestream.model.format.base.PanelTile;
import dev.tidestream.model.format.base.Rounding;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.HALF;

/**
 * 32 nibbles, each the place of an integer in a table, and one F16 scale: {@code w = d * table[q]}. The steps of the table are small
 * near 0, where most weights are.
 *
 * <pre>
 * block of 32 columns: as Q4_0, 576 bytes = 32 rows x 18
 * </pre>
 */
public final class IQ4NL extends BlockFormat {
    private static final byte[] TABLE = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    private static final int STEPS = 7; // scales that are tried on either side of the first
    private static final float TINY = 1e-15f; // below it, ggml takes a block for zeros

    public IQ4NL() {
        super(Rounding.BLOCKS, Nibbles.BYTES);
    }

    @Override
    protected void quants(MemorySegment data, long lines, int position, byte[] out) {
        Nibbles.row(data, lines, position, 0, out);
        look(out);
    }

    @Override
    protected void tileQuants(MemorySegment data, long lines, PanelTile out) {
        Nibbles.tile(data, lines, 0, out.quants);
        look(out.quants);
    }

    private static void look(byte[] quants) {
        for (int i = 0; i < quants.length; i++) {
            quants[i] = TABLE[quants[i]];
        }
    }

    /**
     * By the search of ggml's {@code quantize_iq4_nl}, without an importance matrix: values count by their squares, and the
     * scale of least error among some candidates is taken. Sums are in double, so that no finite value overflows them; a block is
     * therefore as good as ggml's, and not always the same bits.
     */
    @Override
    public void encode(float[] x, BlockBytes out) {
        float largest = largest(x);
        Arrays.fill(out.bytes, Nibbles.pair(8, 8)); // 1, the least of the table
        out.d = 0;
        if (Math.abs(largest) < TINY) {
            return;
        }
        double best = 0;
        double scale = 0;
        for (int step = 0; step <= 2 * STEPS + 1; step++) { // the largest value at the positive end first, then near the negative one
            double inverse = (step == 0 ? -TABLE[0] : TABLE[0] + step - 1 - STEPS) / (double) largest;
            double wxq = 0;
            double wqq = 0;
            for (int j = 0; j < BLOCK; j++) {
                double weight = (double) x[j] / largest * (x[j] / (double) largest);
                int q = TABLE[nearest(inverse * x[j])];
                wxq += weight * x[j] * q;
                wqq += weight * q * q;
            }
            double gain = wqq > 0 ? wxq / wqq * wxq : 0; // how much less error than with zeros
            if (gain > best) {
                best = gain;
                scale = wxq / wqq;
            }
        }
        for (int j = 0; j < HALF; j++) {
            out.bytes[j] = Nibbles.pair(nearest(x[j] / scale), nearest(x[j + HALF] / scale));
        }
        out.d = Float.floatToFloat16((float) scale);
    }

    /** The place of the table's nearest number; of two, the larger. */
    private static int nearest(double value) {
        int place = 0;
        while (place + 1 < TABLE.length && value >= (TABLE[place] + TABLE[place + 1]) / 2.0) {
            place++;
        }
        return place;
    }
}

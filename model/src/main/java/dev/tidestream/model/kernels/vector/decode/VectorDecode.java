package dev.tidestream.model.kernels.vector.decode;

import dev.tidestream.model.kernels.vector.base.Scratch;
import dev.tidestream.model.kernels.vector.base.VectorQuants;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.TensorFormat;

import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.PARTS;
import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;

/**
 * The kernels of one activation row: unpack and multiply fused, every weight byte read once and in order, so that memory is
 * the limit. What it takes to get there, measured in docs/performance.md:
 *
 * <ul>
 *   <li><b>Two panels at a time</b>, one from each half of the range. A core reads two runs of memory a fifth faster than one, as
 *       more of the prefetcher's requests are under way; and what is broadcast of x serves both. <b>Four</b> for Q4_0 by int8
 *       codes, whose arithmetic is twice as fast as memory, so that waiting for it is what counts: another sixth.
 *   <li><b>Small inner loops.</b> C2 puts all loads of a basic block first, so 16 lines written out one after the other end up on
 *       the stack. Loops of a few lines stay in registers.
 *   <li><b>No bounds checks</b> in those loops: {@code VectorShapes.MEMORY}. {@link #panels} checks once that the panels exist
 *       and that the memory is still there. That it stays there for as long as it is read is up to the caller, as it is for
 *       every address that is passed to native code: a model's arena is closed after its last lease.
 *   <li>One method per format, with primitives and arrays only: a vector that crosses a call which is not inlined is boxed.
 * </ul>
 */
public final class VectorDecode {
    private VectorDecode() {}

    /**
     * Panels {@code from <= panel < to}, with the only row of x.
     *
     * @param out receives the sums of row {@code r} of the matrix at {@code outOffset + r}
     */
    public static void panels(PanelMatrix w, Activations x, Scratch scratch, float[] out, int outOffset, int from, int to) {
        w.requireReadable(from, to);
        scratch.decode().prepare(w.format(), x);
        int whole = w.rowsOf(to - 1) == ROWS ? to : to - 1;
        boolean inFours = x.quantised() && w.format() == TensorFormat.Q4_0;
        if (inFours) {
            fours(w, x, scratch, out, outOffset, from, whole);
        } else {
            pairs(w, x, scratch, out, outOffset, from, whole);
        }
        if (whole < to) {
            if (inFours) {
                four(w, whole, whole, whole, whole, x, scratch, scratch.sums(), 0, 0, 0, 0);
            } else {
                pair(w, whole, whole, x, scratch, scratch.sums(), 0, 0);
            }
            System.arraycopy(scratch.sums(), 0, out, outOffset + whole * ROWS, w.rowsOf(whole));
        }
    }

    /** One panel from each half of whole panels; an odd one twice. */
    private static void pairs(PanelMatrix w, Activations x, Scratch scratch, float[] out, int outOffset, int from, int to) {
        int half = (to - from) / 2;
        for (int i = 0; i < half; i++) {
            int second = from + half + i;
            pair(w, from + i, second, x, scratch, out, outOffset + (from + i) * ROWS, outOffset + second * ROWS);
        }
        if ((to - from) % 2 == 1) {
            int last = outOffset + (to - 1) * ROWS;
            pair(w, to - 1, to - 1, x, scratch, out, last, last);
        }
    }

    /** One panel from each quarter of whole panels; of what is left over, the last one more than once. */
    private static void fours(PanelMatrix w, Activations x, Scratch scratch, float[] out, int outOffset, int from, int to) {
        int quarter = (to - from) / 4;
        for (int p = from; p < from + quarter; p++) {
            int q = p + quarter;
            int r = q + quarter;
            int t = r + quarter;
            four(w, p, q, r, t, x, scratch, out, outOffset + p * ROWS, outOffset + q * ROWS, outOffset + r * ROWS,
                    outOffset + t * ROWS);
        }
        int p = from + 4 * quarter;
        if (p < to) {
            int q = Math.min(p + 1, to - 1);
            int r = to - 1;
            four(w, p, q, r, r, x, scratch, out, outOffset + p * ROWS, outOffset + q * ROWS, outOffset + r * ROWS,
                    outOffset + r * ROWS);
        }
    }

    /** Four panels of Q4_0 by int8 codes; some of them may be the same. */
    private static void four(PanelMatrix w, int p, int q, int r, int t, Activations x, Scratch scratch, float[] out,
            int toP, int toQ, int toR, int toT) {
        long base = w.panelData().address();
        long atP = base + w.panelOffset(p);
        long atQ = base + w.panelOffset(q);
        long atR = base + w.panelOffset(r);
        long atT = base + w.panelOffset(t);
        VectorQuants quants = VectorQuants.of(x);
        int[] y = scratch.decode().differences();
        int blocks = w.columns() / BLOCK;
        for (int part = 0; part < PARTS; part++) {
            int lane = part * L;
            VectorInt8Decode.q4(atP, atQ, atR, atT, part, blocks, quants, y, out, toP + lane, toQ + lane, toR + lane, toT + lane);
        }
    }

    /** Two panels, which may be the same. */
    private static void pair(PanelMatrix w, int first, int second, Activations x, Scratch scratch, float[] out, int to, int to2) {
        if (w.format().superBlocks()) {
            VectorKDecode.pair(w, first, second, x, scratch, out, to, to2);
            return;
        }
        long at = w.panelData().address() + w.panelOffset(first);
        long at2 = w.panelData().address() + w.panelOffset(second);
        int k = w.columns();
        float[] values = x.values();
        for (int part = 0; part < PARTS; part++) {
            int p = to + part * L;
            int q = to2 + part * L;
            switch (w.format()) {
                case F32 -> VectorFloatDecode.f32(at, at2, part, k, values, out, p, q);
                case F16 -> VectorFloatDecode.f16(at, at2, part, k, values, out, p, q);
                case BF16 -> VectorFloatDecode.bf16(at, at2, part, k, values, out, p, q);
                case Q8_0 -> {
                    if (x.quantised()) {
                        VectorQuants quants = VectorQuants.of(x);
                        VectorInt8Decode.q8(at, at2, part, k / BLOCK, quants.codePairs(), quants.scales(), out, p, q);
                    } else {
                        VectorFloatDecode.q8(at, at2, part, k / BLOCK, values, out, p, q);
                    }
                }
                case Q4_0 -> VectorFloatDecode.q4(at, at2, part, k / BLOCK, values, out, p, q); // int8: four panels
                case Q4_K, Q5_K, Q6_K -> throw new IllegalArgumentException("not here: " + w.format());
            }
        }
    }
}

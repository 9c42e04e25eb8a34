package dev.tidestream.model.tensor;

import java.util.Objects;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;
import static dev.tidestream.model.tensor.VectorShapes.L;
import static dev.tidestream.model.tensor.VectorShapes.PARTS;

/**
 * The kernels of one activation row: unpack and multiply fused, every weight byte read once and in order, so that memory is
 * the limit. What it takes to get there, measured in docs/performance.md:
 *
 * <ul>
 *   <li><b>Two panels at a time</b>, one from each half of the range. A core reads two runs of memory a fifth faster than one, as
 *       more of the prefetcher's requests are under way; and what is broadcast of x serves both.
 *   <li><b>Small inner loops.</b> C2 puts all loads of a basic block first, so 16 lines written out one after the other end up on
 *       the stack. Loops of a few lines stay in registers.
 *   <li><b>No bounds checks</b> in those loops: {@link VectorShapes#MEMORY}. {@link #panels} checks once that the panels exist
 *       and that the memory is still there. That it stays there for as long as it is read is up to the caller, as it is for
 *       every address that is passed to native code: a model's arena is closed after its last lease.
 *   <li>One method per format, with primitives and arrays only: a vector that crosses a call which is not inlined is boxed.
 * </ul>
 */
final class VectorDecode {
    private VectorDecode() {}

    /**
     * Panels {@code from <= panel < to}, with the only row of x.
     *
     * @param out receives the sums of row {@code r} of the matrix at {@code outOffset + r}
     */
    static void panels(PanelMatrix w, Activations x, Scratch scratch, float[] out, int outOffset, int from, int to) {
        check(w, from, to);
        scratch.decode().prepare(w.format(), x);
        int whole = w.rowsOf(to - 1) == ROWS ? to : to - 1;
        int half = (whole - from) / 2;
        for (int i = 0; i < half; i++) {
            int second = from + half + i;
            pair(w, from + i, second, x, scratch, out, outOffset + (from + i) * ROWS, outOffset + second * ROWS);
        }
        if ((whole - from) % 2 == 1) {
            int last = outOffset + (whole - 1) * ROWS;
            pair(w, whole - 1, whole - 1, x, scratch, out, last, last);
        }
        if (whole < to) {
            pair(w, whole, whole, x, scratch, scratch.sums(), 0, 0);
            System.arraycopy(scratch.sums(), 0, out, outOffset + whole * ROWS, w.rowsOf(whole));
        }
    }

    /** Makes sure that some panels can be read without further checks. */
    static void check(PanelMatrix w, int from, int to) {
        Objects.checkFromToIndex(from, to, w.panels());
        if (!w.data().isNative() || !w.data().scope().isAlive()) {
            throw new IllegalStateException("weights are not in native memory, or no longer: rows=%d, columns=%d, native=%b"
                    .formatted(w.rows(), w.columns(), w.data().isNative()));
        }
    }

    /** Two panels, which may be the same. */
    private static void pair(PanelMatrix w, int first, int second, Activations x, Scratch scratch, float[] out, int to, int to2) {
        if (w.format().superBlocks()) {
            VectorKDecode.pair(w, first, second, x, scratch, out, to, to2);
            return;
        }
        long at = w.data().address() + w.panelOffset(first);
        long at2 = w.data().address() + w.panelOffset(second);
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
                        VectorInt8Decode.q8(at, at2, part, k / BLOCK, x.codePairs(), x.scales(), out, p, q);
                    } else {
                        VectorFloatDecode.q8(at, at2, part, k / BLOCK, values, out, p, q);
                    }
                }
                case Q4_0 -> {
                    if (x.quantised()) {
                        VectorInt8Decode.q4(at, at2, part, k / BLOCK, x, scratch.decode().differences(), out, p, q);
                    } else {
                        VectorFloatDecode.q4(at, at2, part, k / BLOCK, values, out, p, q);
                    }
                }
                case Q4_K, Q5_K, Q6_K -> throw new IllegalArgumentException("not here: " + w.format());
            }
        }
    }
}

package dev.tidestream.model.kernels.vector.decode;

import java.util.EnumMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.BiConsumer;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.vector.base.DecodeScratch;
import dev.tidestream.model.kernels.vector.base.Scratch;
import dev.tidestream.model.kernels.vector.base.VectorQuants;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.PanelMatrix;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.PARTS;

/**
 * The kernels of one activation row: unpack and multiply fused, every weight byte read once and in order, so that memory is
 * the limit. What it takes to get there, measured in docs/lab/2026-11-24-decode.md:
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
    private static final Map<TensorFormat, RowProduct> OF_FLOATS = new EnumMap<>(Map.of(
            TensorFormat.F32, floats(VectorFloatDecode::f32),
            TensorFormat.F16, floats(VectorFloatDecode::f16),
            TensorFormat.BF16, floats(VectorFloatDecode::bf16),
            TensorFormat.Q8_0, floats(VectorFloatDecode::q8),
            TensorFormat.Q4_0, floats(VectorFloatDecode::q4),
            TensorFormat.Q4_K, new InPairs(DecodeScratch::nothing, VectorKDecode::floats4),
            TensorFormat.Q5_K, new InPairs(DecodeScratch::nothing, VectorKDecode::floats5),
            TensorFormat.Q6_K, new InPairs(DecodeScratch::nothing, VectorKDecode::floats6)));

    private static final Map<TensorFormat, RowProduct> OF_CODES = new EnumMap<>(Map.of(
            TensorFormat.Q8_0, new InPairs(DecodeScratch::nothing, VectorDecode::codes8),
            TensorFormat.Q4_0, new FourCodes4(),
            TensorFormat.Q4_K, new InPairs(DecodeScratch::fours, VectorKDecode::codes4),
            TensorFormat.Q5_K, new InPairs(DecodeScratch::nothing, VectorKDecode::codes5),
            TensorFormat.Q6_K, new InPairs(DecodeScratch::nothing, VectorKDecode::codes6)));

    private VectorDecode() {}

    /** What is done with the only row of x. */
    private interface RowProduct {
        /** Whole panels, before a last one that is not; sums as for {@link #panels}. */
        void whole(PanelMatrix w, Activations x, Scratch scratch, float[] out, int outOffset, int from, int to);

        /** A panel that need not be full: all its sums go to {@code scratch.sums()}. */
        void last(PanelMatrix w, Activations x, Scratch scratch, int panel);
    }

    /** Two panels, which may be the same; their sums go to {@code to} and {@code to2}. */
    interface Pair {
        void multiply(PanelMatrix w, int first, int second, Activations x, Scratch scratch, float[] out, int to, int to2);
    }

    /** A part of two panels at two addresses with float activations; units are columns, or blocks. */
    private interface FloatPart {
        void multiply(long at, long at2, int part, int units, float[] x, float[] out, int to, int to2);
    }

    /** Whether there is code for these formats of weights and activations. */
    public static boolean knows(TensorFormat format, boolean codes) {
        return (codes ? OF_CODES : OF_FLOATS).containsKey(format);
    }

    /**
     * Panels {@code from <= panel < to}, with the only row of x.
     *
     * @param out receives the sums of row {@code r} of the matrix at {@code outOffset + r}
     * @throws NoSuchElementException if there is no code for the format, see {@link #knows}
     */
    public static void panels(PanelMatrix w, Activations x, Scratch scratch, float[] out, int outOffset, int from, int to) {
        w.requireReadable(from, to);
        boolean codes = x.quantised() && w.format().quantised();
        RowProduct product = (codes ? OF_CODES : OF_FLOATS).get(w.format());
        if (product == null) {
            throw new NoSuchElementException("no code for one row: format=%s, codes=%b".formatted(w.format(), codes));
        }
        int whole = w.rowsOf(to - 1) == ROWS ? to : to - 1;
        product.whole(w, x, scratch, out, outOffset, from, whole);
        if (whole < to) {
            product.last(w, x, scratch, whole);
            System.arraycopy(scratch.sums(), 0, out, outOffset + whole * ROWS, w.rowsOf(whole));
        }
    }

    /** One panel from each half of whole panels; an odd one twice. */
    private record InPairs(BiConsumer<DecodeScratch, Activations> prepare, Pair pair) implements RowProduct {
        @Override
        public void whole(PanelMatrix w, Activations x, Scratch scratch, float[] out, int outOffset, int from, int to) {
            prepare.accept(scratch.decode(), x);
            int half = (to - from) / 2;
            for (int i = 0; i < half; i++) {
                int second = from + half + i;
                pair.multiply(w, from + i, second, x, scratch, out, outOffset + (from + i) * ROWS, outOffset + second * ROWS);
            }
            if ((to - from) % 2 == 1) {
                int last = outOffset + (to - 1) * ROWS;
                pair.multiply(w, to - 1, to - 1, x, scratch, out, last, last);
            }
        }

        @Override
        public void last(PanelMatrix w, Activations x, Scratch scratch, int panel) {
            pair.multiply(w, panel, panel, x, scratch, scratch.sums(), 0, 0);
        }
    }

    private static RowProduct floats(FloatPart kernel) {
        return new InPairs(DecodeScratch::nothing, (w, first, second, x, scratch, out, to, to2) -> {
            long at = w.panelData().address() + w.panelOffset(first);
            long at2 = w.panelData().address() + w.panelOffset(second);
            int units = w.columns() / w.format().blockElements();
            for (int part = 0; part < PARTS; part++) {
                kernel.multiply(at, at2, part, units, x.values(), out, to + part * L, to2 + part * L);
            }
        });
    }

    private static void codes8(PanelMatrix w, int first, int second, Activations x, Scratch scratch, float[] out, int to, int to2) {
        long at = w.panelData().address() + w.panelOffset(first);
        long at2 = w.panelData().address() + w.panelOffset(second);
        VectorQuants quants = VectorQuants.of(x);
        for (int part = 0; part < PARTS; part++) {
            VectorInt8Decode.q8(at, at2, part, w.columns() / BLOCK, quants.quantPairs(), quants.scales(), out,
                    to + part * L, to2 + part * L);
        }
    }

    /** Q4_0: one panel from each quarter of whole panels; of what is left over, the last one more than once. */
    private record FourCodes4() implements RowProduct {
        @Override
        public void whole(PanelMatrix w, Activations x, Scratch scratch, float[] out, int outOffset, int from, int to) {
            scratch.decode().pairs(x);
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

        @Override
        public void last(PanelMatrix w, Activations x, Scratch scratch, int panel) {
            four(w, panel, panel, panel, panel, x, scratch, scratch.sums(), 0, 0, 0, 0);
        }
    }

    /** Four panels of Q4_0 by int8 quants; some of them may be the same. */
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
}

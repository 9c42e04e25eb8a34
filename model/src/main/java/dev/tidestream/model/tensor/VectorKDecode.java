package dev.tidestream.model.tensor;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.LINE_BYTES;
import static dev.tidestream.model.tensor.VectorShapes.L;
import static dev.tidestream.model.tensor.VectorShapes.PARTS;

/**
 * {@link VectorDecode} for K-quants. The scales of a super-block lie in front of its integers, so a kernel goes through memory in
 * two runs per panel, with a jump at each super-block; the prefetcher loses its way. Therefore each block of integers is
 * accompanied by reading an eighth of the super-block after this one, front to back.
 */
final class VectorKDecode {
    /** Lines that a kernel reads ahead at most, from an address {@code last} on. */
    private static final int AHEAD_LINES = 14;

    private VectorKDecode() {}

    /** Like {@link VectorDecode#panels} for two panels, which may be the same. */
    static void pair(PanelMatrix w, int first, int second, Activations x, Scratch scratch, float[] out, int to, int to2) {
        if (!x.quantised() && w.format() != TensorFormat.Q6_K) {
            VectorKFloatDecode.panel(w, first, x, scratch, out, to);
            if (second != first) {
                VectorKFloatDecode.panel(w, second, x, scratch, out, to2);
            }
            return;
        }
        long p = w.data().address() + w.panelOffset(first);
        long q = w.data().address() + w.panelOffset(second);
        long last = w.data().address() + w.bytes() - AHEAD_LINES * LINE_BYTES;
        int blocks = w.columns() / BLOCK;
        int touched = 0;
        for (int part = 0; part < PARTS; part++) {
            int toP = to + part * L;
            int toQ = to2 + part * L;
            touched += switch (w.format()) {
                case Q4_K -> VectorKInt8Decode.q4(
                        p, q, last, part, blocks, x, scratch.decode().differences(), out, toP, toQ);
                case Q5_K -> VectorKInt8Decode.q5(p, q, last, part, blocks, x, out, toP, toQ);
                case Q6_K -> {
                    if (x.quantised()) {
                        yield VectorKInt8Decode.q6(p, q, last, part, blocks, x, out, toP, toQ);
                    }
                    VectorKFloatDecode.q6(p, q, part, blocks, x.values(), out, toP, toQ);
                    yield 0;
                }
                case F32, F16, BF16, Q8_0, Q4_0 -> throw new IllegalArgumentException("no K-quant: " + w.format());
            };
        }
        scratch.decode().touched(touched);
    }
}

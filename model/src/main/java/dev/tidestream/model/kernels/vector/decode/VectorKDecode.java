package dev.tidestream.model.kernels.vector.decode;

import dev.tidestream.model.kernels.vector.base.Scratch;
import dev.tidestream.model.kernels.vector.base.VectorQuants;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.TensorFormat;

import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.PARTS;
import static dev.tidestream.model.tensor.PanelLayout.BLOCK;

/** {@link VectorDecode} for K-quants. */
final class VectorKDecode {
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
        long p = w.panelData().address() + w.panelOffset(first);
        long q = w.panelData().address() + w.panelOffset(second);
        int blocks = w.columns() / BLOCK;
        for (int part = 0; part < PARTS; part++) {
            int toP = to + part * L;
            int toQ = to2 + part * L;
            switch (w.format()) {
                case Q4_K -> VectorKInt8Decode.q4(
                        p, q, part, blocks, VectorQuants.of(x), scratch.decode().differences(), out, toP, toQ);
                case Q5_K -> VectorKInt8Decode.q5(p, q, part, blocks, VectorQuants.of(x), out, toP, toQ);
                case Q6_K -> {
                    if (x.quantised()) {
                        VectorKInt8Decode.q6(p, q, part, blocks, VectorQuants.of(x), out, toP, toQ);
                    } else {
                        VectorKFloatDecode.q6(p, q, part, blocks, x.values(), out, toP, toQ);
                    }
                }
                case F32, F16, BF16, Q8_0, Q4_0 -> throw new IllegalArgumentException("no K-quant: " + w.format());
            }
        }
    }
}

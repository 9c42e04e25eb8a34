package dev.tidestream.model.kernels.vector.decode;

import dev.tidestream.model.kernels.vector.base.Scratch;
import dev.tidestream.model.kernels.vector.base.VectorQuants;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.PanelMatrix;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.PARTS;

/** {@link VectorDecode} for K-quants: each method is a {@link VectorDecode.Pair}. */
final class VectorKDecode {
    private VectorKDecode() {}

    private static long at(PanelMatrix w, int panel) {
        return w.panelData().address() + w.panelOffset(panel);
    }

    static void codes4(PanelMatrix w, int first, int second, Activations x, Scratch scratch, float[] out, int to, int to2) {
        for (int part = 0; part < PARTS; part++) {
            VectorKInt8Decode.q4(at(w, first), at(w, second), part, w.columns() / BLOCK, VectorQuants.of(x),
                    scratch.decode().differences(), out, to + part * L, to2 + part * L);
        }
    }

    static void codes5(PanelMatrix w, int first, int second, Activations x, Scratch scratch, float[] out, int to, int to2) {
        for (int part = 0; part < PARTS; part++) {
            VectorKInt8Decode.q5(at(w, first), at(w, second), part, w.columns() / BLOCK, VectorQuants.of(x), out,
                    to + part * L, to2 + part * L);
        }
    }

    static void codes6(PanelMatrix w, int first, int second, Activations x, Scratch scratch, float[] out, int to, int to2) {
        for (int part = 0; part < PARTS; part++) {
            VectorKInt8Decode.q6(at(w, first), at(w, second), part, w.columns() / BLOCK, VectorQuants.of(x), out,
                    to + part * L, to2 + part * L);
        }
    }

    static void floats6(PanelMatrix w, int first, int second, Activations x, Scratch scratch, float[] out, int to, int to2) {
        for (int part = 0; part < PARTS; part++) {
            VectorKFloatDecode.q6(at(w, first), at(w, second), part, w.columns() / BLOCK, x.values(), out,
                    to + part * L, to2 + part * L);
        }
    }

    static void floats4(PanelMatrix w, int first, int second, Activations x, Scratch scratch, float[] out, int to, int to2) {
        VectorKFloatDecode.q4(w, first, x, scratch, out, to);
        if (second != first) {
            VectorKFloatDecode.q4(w, second, x, scratch, out, to2);
        }
    }

    static void floats5(PanelMatrix w, int first, int second, Activations x, Scratch scratch, float[] out, int to, int to2) {
        VectorKFloatDecode.q5(w, first, x, scratch, out, to);
        if (second != first) {
            VectorKFloatDecode.q5(w, second, x, scratch, out, to2);
        }
    }
}

package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.kernels.jit.base.MachineScratch;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VPAND;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKHBW;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKLBW;

/** Q4_K: a word is four columns, of four bits. */
public final class QuadCodeQ4K extends QuadCode {
    /** @param code receives the instructions */
    public QuadCodeQ4K(Assembler code) {
        super(code, TensorFormat.Q4_K);
    }

    @Override
    Products products() {
        return Products.UNSIGNED;
    }

    @Override
    boolean minima() {
        return true;
    }

    @Override
    boolean byteLines() {
        return false;
    }

    @Override
    void header() {
        WordLines.floats(this, 0, MachineScratch.SCALES);
        WordLines.floats(this, PanelLayout.SCALE_BYTES, MachineScratch.MIN_SCALES);
    }

    @Override
    void scales() {
        WordLines.scalesAndMinima(code);
    }

    @Override
    void quads(Sink sink) {
        for (int q = 0; q < QUADS; q++) {
            sink.quad(q, 14);
            for (int half = 0; half < 2; half++) {
                code.vector(VMOVDQU, 8, panel(PanelLayout.LINE_BYTES * (1 + q) + half * VECTOR));
                code.vector(VPAND, 9, 8, KEPT); // columns 0 and 2
                code.shift(Shift.VPSRLW, 8, 8, 4);
                code.vector(VPAND, 8, 8, KEPT); // columns 1 and 3
                code.vector(VPUNPCKLBW, 10, 9, 8);
                code.vector(VPUNPCKHBW, 11, 9, 8);
                sink.take(q, 2 * half, 10, 14, 12);
                sink.take(q, 2 * half + 1, 11, 14, 12);
            }
        }
    }
}

package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.machine.VectorOp.VPAND;

/** Q4_0: a byte is column j and column j + 16, both with 8 added. */
public final class QuadCodeQ40 extends QuadCode {
    /** @param code receives the instructions */
    public QuadCodeQ40(Assembler code) {
        super(code, TensorFormat.Q4_0);
    }

    @Override
    Products products() {
        return Products.UNSIGNED;
    }

    @Override
    boolean centred() {
        return true;
    }

    @Override
    boolean byteLines() {
        return true;
    }

    @Override
    void scales() {
        ByteLines.scales(this);
    }

    @Override
    void quads(Sink sink) {
        for (int q = 0; q < QUADS / 2; q++) {
            ByteLines.transpose(code, PanelLayout.SCALE_BYTES + q * 4 * VECTOR);
            sink.quad(q, 11);
            sink.quad(q + QUADS / 2, 12);
            for (int g = 0; g < GROUPS; g++) {
                int both = ByteLines.GROUPS[g];
                code.vector(VPAND, 10, both, KEPT);
                sink.take(q, g, 10, 11, 10);
                code.shift(Shift.VPSRLW, both, both, 4);
                code.vector(VPAND, both, both, KEPT);
                sink.take(q + QUADS / 2, g, both, 12, 10);
            }
        }
    }
}

package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.machine.Assembler;

/** Q8_0: a byte is a signed integer. */
public final class QuadCodeQ80 extends QuadCode {
    /** @param code receives the instructions */
    public QuadCodeQ80(Assembler code) {
        super(code, TensorFormat.Q8_0);
    }

    @Override
    Products products() {
        return Products.SIGNED_WIDE;
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
        for (int q = 0; q < QUADS; q++) {
            ByteLines.transpose(code, PanelLayout.SCALE_BYTES + q * 4 * VECTOR);
            sink.quad(q, 12);
            for (int g = 0; g < GROUPS; g++) {
                sink.take(q, g, ByteLines.GROUPS[g], 12, 10);
            }
        }
    }
}

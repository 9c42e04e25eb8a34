package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.machine.Assembler;

import static dev.tidestream.model.kernels.jit.avx2.QuadCode.GROUPS;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.VECTOR;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.panel;
import static dev.tidestream.model.machine.VectorOp.VCVTDQ2PS;
import static dev.tidestream.model.machine.VectorOp.VCVTPH2PS;
import static dev.tidestream.model.machine.VectorOp.VPMOVSXBD;

/** Q8_0: columns 0–15 are chain a, columns 16–31 chain b. */
public final class FloatCodeQ80 extends FloatCode {
    private static final int CHAIN = PanelLayout.BLOCK / 2;

    /** @param code receives the instructions */
    public FloatCodeQ80(Assembler code) {
        super(code, TensorFormat.Q8_0);
    }

    @Override
    int pairs() {
        return 1;
    }

    @Override
    void columns(int pair, Sink sink) {
        for (int column = 0; column < CHAIN; column++) {
            for (int chain = 0; chain < 2; chain++) {
                int k = column + chain * CHAIN;
                sink.column(chain, k);
                for (int g = 0; g < GROUPS; g++) {
                    code.vector(VPMOVSXBD, 14, panel(PanelLayout.SCALE_BYTES + k * VECTOR + g * Long.BYTES));
                    code.vector(VCVTDQ2PS, 14, 14);
                    sink.take(chain, k, g, 14);
                }
            }
        }
    }

    @Override
    void factor(int pair, int group) {
        code.vector(VCVTPH2PS, 14, panel(group * GROUP_WORDS));
    }

    @Override
    int[] inOrder() {
        return linesInOrder(code);
    }
}

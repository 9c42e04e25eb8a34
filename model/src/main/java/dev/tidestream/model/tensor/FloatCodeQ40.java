package dev.tidestream.model.tensor;

import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.machine.VectorOp.VCVTPH2PS;
import static dev.tidestream.model.machine.VectorOp.VPAND;
import static dev.tidestream.model.machine.VectorOp.VPMOVZXBD;
import static dev.tidestream.model.machine.VectorOp.VPSUBD;
import static dev.tidestream.model.tensor.QuadCode.GROUPS;
import static dev.tidestream.model.tensor.QuadCode.VECTOR;
import static dev.tidestream.model.tensor.QuadCode.constant;
import static dev.tidestream.model.tensor.QuadCode.panel;

/** Q4_0: a byte is column j of chain a and column j + 16 of chain b, both with 8 added. */
final class FloatCodeQ40 extends FloatCode {
    private static final int CHAIN = PanelLayout.BLOCK / 2;

    FloatCodeQ40(Assembler code) {
        super(code, TensorFormat.Q4_0);
    }

    @Override
    int pairs() {
        return 1;
    }

    @Override
    void columns(int pair, Sink sink) {
        for (int j = 0; j < CHAIN; j++) {
            sink.column(0, j);
            sink.column(1, j + CHAIN);
            for (int g = 0; g < GROUPS; g++) {
                code.vector(VPMOVZXBD, 14, panel(PanelLayout.SCALE_BYTES + j * VECTOR + g * Long.BYTES));
                code.vector(VPAND, 15, 14, constant(MachineConstant.FIFTEEN));
                code.vector(VPSUBD, 15, 15, constant(MachineConstant.EIGHT));
                sink.take(0, j, g, 15);
                code.shift(Shift.VPSRLD, 14, 14, 4);
                code.vector(VPSUBD, 14, 14, constant(MachineConstant.EIGHT));
                sink.take(1, j + CHAIN, g, 14);
            }
        }
    }

    @Override
    void factor(int pair, int group) {
        code.vector(VCVTPH2PS, 14, panel(group * GROUP_WORDS));
    }
}

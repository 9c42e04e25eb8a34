package dev.tidestream.model.kernels.jit.avx2;

import java.util.List;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.kernels.jit.avx2.QuadCode.EVEN_THEN_ODD;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.VECTOR;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.panel;
import static dev.tidestream.model.machine.VectorOp.VCVTPH2PS;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VPAND;
import static dev.tidestream.model.machine.VectorOp.VPERM2F128;
import static dev.tidestream.model.machine.VectorOp.VPERMQ;
import static dev.tidestream.model.machine.VectorOp.VPSHUFB;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKHBW;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKLBW;
import static dev.tidestream.model.machine.VectorOp.VSHUFPS;

/** Q4_0: a byte is column j of chain a and column j + 16 of chain b, both with 8 added. */
public final class FloatCodeQ40 extends FloatCode {
    private static final int CHAIN = PanelLayout.BLOCK / 2;

    /** @param code receives the instructions */
    public FloatCodeQ40(Assembler code) {
        super(code, TensorFormat.Q4_0);
    }

    @Override
    int pairs() {
        return 1;
    }

    @Override
    List<VectorConstant> constants() {
        return List.of(VectorConstant.EIGHT_LESS_THIRD, VectorConstant.EIGHT_LESS_TOP, VectorConstant.UPPER_WORDS, VectorConstant.NIBBLES);
    }

    @Override
    void columns(int pair, Sink sink) {
        for (int j = 0; j < CHAIN; j++) {
            int line = PanelLayout.SCALE_BYTES + j * VECTOR;
            code.vector(VPAND, 13, 3, panel(line));
            column(0, j, sink);
            code.vector(VMOVDQU, 13, panel(line));
            code.shift(Shift.VPSRLW, 13, 13, 4);
            code.vector(VPAND, 13, 13, 3);
            column(1, j + CHAIN, sink);
        }
    }

    /** The nibbles in 13, one in a byte: two tables have the only bytes of their floats that are not 0. */
    private void column(int chain, int column, Sink sink) {
        sink.column(chain, column);
        code.vector(VPSHUFB, 15, 0, 13);
        code.vector(VPSHUFB, 13, 1, 13);
        code.vector(VPUNPCKLBW, 14, 15, 13);
        code.vector(VPUNPCKHBW, 15, 15, 13);
        for (int half = 0; half < 2; half++) {
            int words = 14 + half;
            code.shift(Shift.VPSLLD, 13, words, 16);
            sink.take(chain, column, half, 13);
            code.vector(VPAND, words, words, 2);
            sink.take(chain, column, 2 + half, words);
        }
    }

    /** Groups are rows {@code 0–3 8–11}, {@code 4–7 12–15}, {@code 16–19 24–27}, {@code 20–23 28–31}. */
    @Override
    void factor(int pair, int group) {
        int half = group % 2;
        code.vector(VCVTPH2PS, 14, panel(half * GROUP_WORDS));
        code.vector(VCVTPH2PS, 15, panel((half + 2) * GROUP_WORDS));
        code.vector(VSHUFPS, 14, 14, 15, group < 2 ? 0x88 : 0xDD);
        code.vector(VPERMQ, 14, 0, 14, EVEN_THEN_ODD);
    }

    @Override
    int[] inOrder() {
        code.vector(VPERM2F128, 4, 0, 1, 0x20);
        code.vector(VPERM2F128, 5, 0, 1, 0x31);
        code.vector(VPERM2F128, 6, 2, 3, 0x20);
        code.vector(VPERM2F128, 7, 2, 3, 0x31);
        return new int[] {4, 5, 6, 7};
    }
}

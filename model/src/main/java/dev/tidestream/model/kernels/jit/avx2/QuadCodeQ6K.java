package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.q6k.Q6K;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VPAND;
import static dev.tidestream.model.machine.VectorOp.VPOR;
import static dev.tidestream.model.machine.VectorOp.VPSUBB;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKHWD;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKLWD;
import static dev.tidestream.model.machine.VectorOp.VPXOR;

/** Q6_K: three words are eight columns, see {@link Q6K}. */
public final class QuadCodeQ6K extends QuadCode {
    private static final int GROUP_BYTES = Q6K.Q6K_LINES * PanelLayout.LINE_BYTES;

    /** @param code receives the instructions */
    public QuadCodeQ6K(Assembler code) {
        super(code, TensorFormat.Q6_K);
    }

    @Override
    Products products() {
        return Products.SIGNED;
    }

    @Override
    boolean halves() {
        return true;
    }

    @Override
    boolean byteLines() {
        return false;
    }

    @Override
    void header() {
        WordLines.floats(this, 0, KernelScratch.SCALES);
    }

    /** A word is the scale of columns 0–15 and that of columns 16–31, both signed. */
    @Override
    void scales() {
        for (int half = 0; half < 2; half++) {
            code.vector(VMOVDQU, 8, panel(half * VECTOR));
            code.shift(Shift.VPSRAW, 9, 8, 8);
            WordLines.pairs(code, 9, 10, KernelScratch.FACTORS_2, half);
            code.shift(Shift.VPSLLW, 8, 8, 8);
            code.shift(Shift.VPSRAW, 8, 8, 8);
            WordLines.pairs(code, 8, 10, KernelScratch.FACTORS, half);
        }
    }

    @Override
    void quads(Sink sink) {
        for (int eight = 0; eight < 4; eight++) {
            for (int half = 0; half < 2; half++) {
                int offset = PanelLayout.LINE_BYTES + eight * GROUP_BYTES + half * VECTOR;
                code.vector(VMOVDQU, 8, panel(offset));
                code.vector(VMOVDQU, 9, panel(offset + PanelLayout.LINE_BYTES));
                code.vector(VMOVDQU, 10, panel(offset + 2 * PanelLayout.LINE_BYTES));
                twoColumns(8, 11, 13);
                twoColumns(9, 12, 13);
                give(sink, 2 * eight, half);
                twoColumns(10, 11, 13);
                lastColumns();
                give(sink, 2 * eight + 1, half);
            }
        }
    }

    /** Columns at bits 15–10 and 9–4 of a word to its lower and its upper byte. */
    private void twoColumns(int word, int to, int t) {
        code.shift(Shift.VPSRLW, to, word, 10);
        code.shift(Shift.VPSLLW, t, word, 4);
        code.vector(VPAND, t, t, constant(VectorConstant.UPPER_SIX));
        code.vector(VPOR, to, to, t);
    }

    /** Columns 6 and 7 of the words in 8, 9, 10 to the bytes of 12. */
    private void lastColumns() {
        code.vector(VPAND, 12, 8, constant(VectorConstant.LOW_FOUR));
        code.shift(Shift.VPSLLW, 12, 12, 2);
        code.vector(VPAND, 13, 9, constant(VectorConstant.LOW_TWO));
        code.vector(VPOR, 12, 12, 13);
        code.shift(Shift.VPSLLW, 13, 10, 10);
        code.vector(VPAND, 13, 13, constant(VectorConstant.UPPER_FOUR));
        code.vector(VPOR, 12, 12, 13);
        code.shift(Shift.VPSLLW, 13, 9, 6);
        code.vector(VPAND, 13, 13, constant(VectorConstant.UPPER_TWO));
        code.vector(VPOR, 12, 12, 13);
    }

    /** The pairs of columns in 11 and 12 as quads, of two groups; signs of six bits become signs of bytes. */
    private void give(Sink sink, int quad, int half) {
        code.vector(VPUNPCKLWD, 13, 11, 12);
        code.vector(VPUNPCKHWD, 14, 11, 12);
        sink.quad(quad, 12);
        for (int group = 0; group < 2; group++) {
            int vector = 13 + group;
            code.vector(VPXOR, vector, vector, constant(VectorConstant.SIX_BIT_SIGN));
            code.vector(VPSUBB, vector, vector, constant(VectorConstant.SIX_BIT_SIGN));
            sink.take(quad, 2 * half + group, vector, 12, 11);
        }
    }
}

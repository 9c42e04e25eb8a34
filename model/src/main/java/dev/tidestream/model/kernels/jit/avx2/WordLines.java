package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.machine.VectorOp.VCVTDQ2PS;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU_STORE;
import static dev.tidestream.model.machine.VectorOp.VPAND;
import static dev.tidestream.model.machine.VectorOp.VPERMQ;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKHWD;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKLWD;
import static dev.tidestream.model.machine.VectorOp.VPXOR;

/** Code for K-quants: lines of 64 bytes, a word for each row. */
final class WordLines {
    private WordLines() {}

    /** A line of half-precision numbers becomes floats in the scratch. */
    static void floats(QuadCode quads, int offset, int to) {
        for (int half = 0; half < 2; half++) {
            quads.code.vector(VMOVDQU, 8, QuadCode.panel(offset + half * QuadCode.VECTOR));
            quads.code.vector(VPERMQ, 8, 0, 8, QuadCode.EVEN_THEN_ODD);
            quads.floats(8, 9, to, 2 * half, 2 * half + 1);
        }
    }

    /** A line of words, each a scale and a minimum, becomes factors and minima in the scratch. */
    static void scalesAndMinima(Assembler code) {
        code.vector(VPXOR, 14, 14, 14);
        for (int half = 0; half < 2; half++) {
            code.vector(VMOVDQU, 8, QuadCode.panel(half * QuadCode.VECTOR));
            code.vector(VPAND, 9, 8, QuadCode.constant(VectorConstant.LOW_BYTES));
            pairs(code, 9, 10, KernelScratch.FACTORS, half);
            code.shift(Shift.VPSRLW, 8, 8, 8);
            code.vector(VPUNPCKLWD, 9, 8, 14);
            code.vector(VCVTDQ2PS, 9, 9);
            code.vector(VMOVDQU_STORE, 9, QuadCode.scratch(KernelScratch.MINIMA + 2 * half * QuadCode.VECTOR));
            code.vector(VPUNPCKHWD, 9, 8, 14);
            code.vector(VCVTDQ2PS, 9, 9);
            code.vector(VMOVDQU_STORE, 9, QuadCode.scratch(KernelScratch.MINIMA + (2 * half + 1) * QuadCode.VECTOR));
        }
    }

    /** A word for each row of two groups, in a register, becomes two of the same in the scratch. */
    static void pairs(Assembler code, int words, int t, int to, int half) {
        code.vector(VPUNPCKLWD, t, words, words);
        code.vector(VMOVDQU_STORE, t, QuadCode.scratch(to + 2 * half * QuadCode.VECTOR));
        code.vector(VPUNPCKHWD, t, words, words);
        code.vector(VMOVDQU_STORE, t, QuadCode.scratch(to + (2 * half + 1) * QuadCode.VECTOR));
    }
}

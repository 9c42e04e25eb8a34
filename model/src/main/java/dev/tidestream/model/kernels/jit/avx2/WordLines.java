package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.machine.Assembler;

import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU_STORE;
import static dev.tidestream.model.machine.VectorOp.VPERMQ;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKHWD;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKLWD;

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

    /** A word for each row of two groups, in a register, becomes two of the same in the scratch. */
    static void pairs(Assembler code, int words, int t, int to, int half) {
        code.vector(VPUNPCKLWD, t, words, words);
        code.vector(VMOVDQU_STORE, t, QuadCode.scratch(to + 2 * half * QuadCode.VECTOR));
        code.vector(VPUNPCKHWD, t, words, words);
        code.vector(VMOVDQU_STORE, t, QuadCode.scratch(to + (2 * half + 1) * QuadCode.VECTOR));
    }
}

package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.machine.Assembler;

import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKHBW;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKHQDQ;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKHWD;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKLBW;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKLQDQ;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKLWD;

/** Code for Q8_0 and Q4_0: a line of 64 bytes of scales, then lines of 32 bytes, one byte for each row. */
final class ByteLines {
    /** Where the four groups of rows are found. */
    static final int[] GROUPS = {13, 14, 8, 9};

    private ByteLines() {}

    /** The scales of a block. */
    static void scales(QuadCode quads) {
        Assembler code = quads.code;
        code.vector(VMOVDQU, 8, QuadCode.panel(0));
        code.vector(VMOVDQU, 9, QuadCode.panel(QuadCode.VECTOR));
        code.vector(VPUNPCKLQDQ, 10, 8, 9);
        quads.floats(10, 12, KernelScratch.SCALES, 0, 2);
        code.vector(VPUNPCKHQDQ, 10, 8, 9);
        quads.floats(10, 12, KernelScratch.SCALES, 1, 3);
    }

    /** Four lines from an offset become four groups of quads, in {@link #GROUPS}; 8 to 14 are changed. */
    static void transpose(Assembler code, int offset) {
        code.vector(VMOVDQU, 12, QuadCode.panel(offset));
        code.vector(VPUNPCKLBW, 8, 12, QuadCode.panel(offset + QuadCode.VECTOR));
        code.vector(VPUNPCKHBW, 9, 12, QuadCode.panel(offset + QuadCode.VECTOR));
        code.vector(VMOVDQU, 12, QuadCode.panel(offset + 2 * QuadCode.VECTOR));
        code.vector(VPUNPCKLBW, 10, 12, QuadCode.panel(offset + 3 * QuadCode.VECTOR));
        code.vector(VPUNPCKHBW, 11, 12, QuadCode.panel(offset + 3 * QuadCode.VECTOR));
        code.vector(VPUNPCKLWD, 13, 8, 10);
        code.vector(VPUNPCKHWD, 14, 8, 10);
        code.vector(VPUNPCKLWD, 8, 9, 11);
        code.vector(VPUNPCKHWD, 9, 9, 11);
    }
}

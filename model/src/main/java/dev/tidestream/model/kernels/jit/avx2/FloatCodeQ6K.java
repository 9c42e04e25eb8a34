package dev.tidestream.model.kernels.jit.avx2;

import java.util.List;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.q6k.Q6K;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.kernels.jit.avx2.QuadCode.EVEN_THEN_ODD;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.VECTOR;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.constant;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.panel;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.scratch;
import static dev.tidestream.model.machine.VectorOp.VCVTDQ2PS;
import static dev.tidestream.model.machine.VectorOp.VCVTPH2PS;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU_STORE;
import static dev.tidestream.model.machine.VectorOp.VMULPS;
import static dev.tidestream.model.machine.VectorOp.VPAND;
import static dev.tidestream.model.machine.VectorOp.VPERMQ;
import static dev.tidestream.model.machine.VectorOp.VPOR;
import static dev.tidestream.model.machine.VectorOp.VSHUFPS;

/**
 * Q6_K: three words are eight columns, see {@link Q6K}; eight columns are a chain. A 32-bit lane holds the words of rows r and
 * r + 16. A column stays at the top of the lane, 2^26 times as large, so its sign is where it should be; the scale is as much smaller.
 * Both are exact; a chain overflows if |x| is beyond 2^90.
 */
public final class FloatCodeQ6K extends FloatCode {
    private static final int CHAIN = 8;
    private static final int TOP_SIX = 0;
    private static final int CHAIN_BYTES = Q6K.Q6K_LINES * PanelLayout.LINE_BYTES;
    /** Lines whose words have two columns in their upper bits. */
    private static final int LINES = Q6K.Q6K_LINES;

    /** @param code receives the instructions */
    public FloatCodeQ6K(Assembler code) {
        super(code, TensorFormat.Q6_K);
    }

    @Override
    List<VectorConstant> constants() {
        return List.of(VectorConstant.TOP_SIX);
    }

    @Override
    int[] inOrder() {
        return new int[] {0, 1, 2, 3};
    }

    @Override
    int pairs() {
        return 2;
    }

    @Override
    void header() {
        for (int half = 0; half < 2; half++) {
            code.vector(VCVTPH2PS, 14, panel(2 * half * GROUP_WORDS));
            code.vector(VCVTPH2PS, 15, panel((2 * half + 1) * GROUP_WORDS));
            for (int upper = 0; upper < 2; upper++) {
                code.vector(VSHUFPS, 13, 14, 15, upper == 0 ? 0x88 : 0xDD);
                code.vector(VPERMQ, 13, 0, 13, EVEN_THEN_ODD);
                code.vector(VMULPS, 13, 13, constant(VectorConstant.SMALL));
                code.vector(VMOVDQU_STORE, 13, scratch(KernelScratch.SCALES + group(half, upper) * VECTOR));
            }
        }
    }

    /** Rows 0–7, 16–23; 8–15, 24–31. */
    private static int group(int half, int upper) {
        return half + 2 * upper;
    }

    @Override
    void columns(int pair, Sink sink) {
        for (int chain = 0; chain < 2; chain++) {
            int eight = 2 * pair + chain;
            int offset = PanelLayout.LINE_BYTES + eight * CHAIN_BYTES;
            for (int line = 0; line < LINES; line++) {
                for (int i = 0; i < 2; i++) {
                    int column = eight * CHAIN + 2 * line + i;
                    sink.column(chain, column);
                    for (int half = 0; half < 2; half++) {
                        code.vector(VMOVDQU, 14, line(offset, line, half));
                        topSix(i == 0 ? 0 : 6, sink, chain, column, half);
                    }
                }
            }
            for (int i = 0; i < 2; i++) {
                int column = eight * CHAIN + 2 * LINES + i;
                sink.column(chain, column);
                for (int half = 0; half < 2; half++) {
                    gather(offset, i, half);
                    topSix(0, sink, chain, column, half);
                }
            }
        }
    }

    /** Six bits of the words in 14, so many below their top, of both rows of a lane. */
    private void topSix(int below, Sink sink, int chain, int column, int half) {
        code.shift(Shift.VPSLLD, 15, 14, 16 + below);
        code.vector(VPAND, 15, 15, TOP_SIX);
        code.vector(VCVTDQ2PS, 15, 15);
        sink.take(chain, column, group(half, 0), 15);
        if (below > 0) {
            code.shift(Shift.VPSLLD, 14, 14, below);
        }
        code.vector(VPAND, 14, 14, TOP_SIX);
        code.vector(VCVTDQ2PS, 14, 14);
        sink.take(chain, column, group(half, 1), 14);
    }

    /** Column 6 or 7 to the top of the words of 14: bits 5–2 from the bottom of line 0 or 2, bits 1–0 from line 1. */
    private void gather(int offset, int i, int half) {
        code.vector(VMOVDQU, 14, line(offset, 2 * i, half));
        code.shift(Shift.VPSLLW, 14, 14, 12);
        code.vector(VMOVDQU, 15, line(offset, 1, half));
        if (i == 0) {
            code.vector(VPAND, 15, 15, constant(VectorConstant.LOW_TWO));
            code.shift(Shift.VPSLLW, 15, 15, 10);
        } else {
            code.vector(VPAND, 15, 15, constant(VectorConstant.NEXT_TWO));
            code.shift(Shift.VPSLLW, 15, 15, 8);
        }
        code.vector(VPOR, 14, 14, 15);
    }

    private static Address line(int offset, int line, int half) {
        return panel(offset + line * PanelLayout.LINE_BYTES + half * VECTOR);
    }

    /** {@code d * scale} with the scale of 16 columns, a signed byte: in each word, the lower for columns 0–15. */
    @Override
    void factor(int pair, int group) {
        code.vector(VMOVDQU, 14, panel(group % 2 * VECTOR));
        int above = (group < 2 ? 16 : 0) + (pair == 0 ? 8 : 0); // bits above the byte
        if (above > 0) {
            code.shift(Shift.VPSLLD, 14, 14, above);
        }
        code.shift(Shift.VPSRAD, 14, 14, 24);
        code.vector(VCVTDQ2PS, 14, 14);
        code.vector(VMULPS, 14, 14, scratch(KernelScratch.SCALES + group * VECTOR));
    }
}

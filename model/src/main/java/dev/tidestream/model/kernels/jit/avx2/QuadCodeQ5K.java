package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.q5k.Q5K;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VPAND;
import static dev.tidestream.model.machine.VectorOp.VPOR;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKHWD;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKLWD;

/**
 * Q5_K: five words are sixteen columns, see {@link PanelLayout}. Sums of pairs of columns fit 16 bits for sixteen columns
 * ({@code 8 * 2 * 31 * 127 / 2 = 31,496}) and not for a block.
 */
public final class QuadCodeQ5K extends QuadCode {
    private static final int SIXTEEN_BYTES = Q5K.Q5K_LINES * PanelLayout.LINE_BYTES;
    /** Column 15, collected from the top bits of words. */
    private static final int LAST = 10;
    private static final int LOW = 11;
    private static final int HIGH = 12;
    private static final int T = 13;

    /** @param code receives the instructions */
    public QuadCodeQ5K(Assembler code) {
        super(code, TensorFormat.Q5_K);
    }

    @Override
    Products products() {
        return Products.UNSIGNED;
    }

    @Override
    VectorConstant kept() {
        return VectorConstant.LOW_FIVE;
    }

    @Override
    boolean minima() {
        return true;
    }

    @Override
    boolean halves() {
        return true;
    }

    /** Both halves have the same. */
    @Override
    int secondFactors() {
        return KernelScratch.FACTORS;
    }

    @Override
    boolean byteLines() {
        return false;
    }

    @Override
    void header() {
        WordLines.floats(this, 0, KernelScratch.SCALES);
        WordLines.floats(this, PanelLayout.SCALE_BYTES, KernelScratch.MIN_SCALES);
    }

    @Override
    void scales() {
        WordLines.scalesAndMinima(code);
    }

    @Override
    void quads(Sink sink) {
        for (int sixteen = 0; sixteen < 2; sixteen++) {
            for (int half = 0; half < 2; half++) {
                sixteen(sink, QUADS / 2 * sixteen, PanelLayout.LINE_BYTES + sixteen * SIXTEEN_BYTES + half * VECTOR, half);
            }
        }
    }

    /** Words take turns in 8 and 9. */
    private void sixteen(Sink sink, int quad, int offset, int half) {
        word(8, offset, 0);
        code.vector(VPAND, LAST, 8, constant(VectorConstant.TOP_BIT));
        firstTwo(8, LOW);
        word(9, offset, 1);
        lastAndFirst(8, 9, HIGH);
        give(sink, quad, half);
        collect(9);
        lastTwo(9, LOW);
        word(8, offset, 2);
        firstTwo(8, HIGH);
        give(sink, quad + 1, half);
        collect(8);
        word(9, offset, 3);
        lastAndFirst(8, 9, LOW);
        lastTwo(9, HIGH);
        give(sink, quad + 2, half);
        collect(9);
        word(8, offset, 4);
        collect(8);
        firstTwo(8, LOW);
        code.shift(Shift.VPSRLW, HIGH, 8, 10);
        code.vector(VPAND, HIGH, HIGH, KEPT);
        code.shift(Shift.VPSRLW, LAST, LAST, 3); // from the top five bits to the upper byte
        code.vector(VPOR, HIGH, HIGH, LAST);
        give(sink, quad + 3, half);
    }

    private void word(int to, int offset, int line) {
        code.vector(VMOVDQU, to, panel(offset + line * PanelLayout.LINE_BYTES));
    }

    /** The top bits of words to the top of {@link #LAST}, above those of the words before. */
    private void collect(int word) {
        code.shift(Shift.VPSRLW, LAST, LAST, 1);
        code.vector(VPAND, T, word, constant(VectorConstant.TOP_BIT));
        code.vector(VPOR, LAST, LAST, T);
    }

    /** Columns at bits 4–0 and 9–5 of a word to its lower and its upper byte. */
    private void firstTwo(int word, int to) {
        code.vector(VPAND, to, word, KEPT);
        upperByte(word, 3, to);
    }

    /** Columns at bits 9–5 and 14–10. */
    private void lastTwo(int word, int to) {
        code.shift(Shift.VPSRLW, to, word, 5);
        code.vector(VPAND, to, to, KEPT);
        code.shift(Shift.VPSRLW, T, word, 2);
        code.vector(VPAND, T, T, constant(VectorConstant.UPPER_FIVE));
        code.vector(VPOR, to, to, T);
    }

    /** The column at bits 14–10 of a word, and that at bits 4–0 of the next one. */
    private void lastAndFirst(int word, int next, int to) {
        code.shift(Shift.VPSRLW, to, word, 10);
        code.vector(VPAND, to, to, KEPT);
        upperByte(next, 8, to);
    }

    private void upperByte(int word, int left, int to) {
        code.shift(Shift.VPSLLW, T, word, left);
        code.vector(VPAND, T, T, constant(VectorConstant.UPPER_FIVE));
        code.vector(VPOR, to, to, T);
    }

    /** The pairs of columns in {@link #LOW} and {@link #HIGH} as quads, of two groups. */
    private void give(Sink sink, int quad, int half) {
        code.vector(VPUNPCKLWD, 13, LOW, HIGH);
        code.vector(VPUNPCKHWD, 14, LOW, HIGH);
        sink.quad(quad, HIGH);
        sink.take(quad, 2 * half, 13, HIGH, LOW);
        sink.take(quad, 2 * half + 1, 14, HIGH, LOW);
    }
}

package dev.tidestream.model.kernels.jit.attention;

import java.util.function.IntConsumer;

import dev.tidestream.model.kernels.jit.attention.AttentionMemory.Constant;
import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.machine.VectorOp;
import dev.tidestream.model.tensor.FloatExp;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.kernels.jit.attention.AttentionMemory.RESULT_BYTES;
import static dev.tidestream.model.kernels.jit.attention.AttentionMemory.WEIGHTS_ROW_BYTES;

/**
 * Writes the programs that cap scores and that make weights of them, by {@link FloatExp}. Of the weights, each row's largest score is
 * left and 16 partial sums, but for the last 16 weights, of which some may not count.
 *
 * <pre>
 * registers   rdi arguments, r8 the row, r9 its result, rax groups to go, r11 rows to go
 *             0 the score, then its exponential; 1–4 of exp; 5 the largest score; 6 the smallest argument of exp;
 *             8, 9 sums, 10, 11 sums before the last group; with 256 bits two for the 16 lanes, with 512 one
 *             caps: 7 the largest argument of exp, 8 the factor, 9 the cap, 10 twice the cap
 * </pre>
 */
final class SoftmaxEmitter {
    private static final int X = 0;
    private static final int SHIFTED = 1;
    private static final int N = 2;
    private static final int P = 3;
    private static final int SQUARE = 4;
    private static final int MAX = 5;
    private static final int MIN = 6;
    private static final int MOST = 7;
    private static final int FACTOR = 8;
    private static final int CAP = 9;
    private static final int TWICE_CAP = 10;
    private static final int SUMS = 8;
    private static final int SUMS_BEFORE = 10;
    private static final int EXPONENT_PLACE = 23;
    private static final int GROUP_BYTES = Kernels.PARTIALS * Float.BYTES;
    private static final int SWAP_HALVES = 0x01;
    private static final int SWAP_PAIRS = 0x4E;
    private static final int SWAP_NEIGHBOURS = 0xB1;

    private final Assembler code;
    private final Lanes lanes;
    private final int parts; // vectors of 16 lanes

    SoftmaxEmitter(Lanes lanes) {
        this.code = lanes.code();
        this.lanes = lanes;
        this.parts = lanes.vectors(Kernels.PARTIALS);
    }

    /**
     * {@code f(arguments)}: of QUERIES rows at WEIGHTS the first GROUPS times 16 scores become {@code exp(score - max)}; at TO go each
     * row's largest score and partial sums.
     */
    void softmax() {
        code.load(Register.R9, AttentionEmitter.argument(AttentionMemory.TO));
        rows(() -> {
            largest();
            code.load(Register.R8, AttentionEmitter.argument(AttentionMemory.SAVED));
            exponentials();
            code.add(Register.R9, RESULT_BYTES);
        });
    }

    /** {@code f(arguments)}: of QUERIES rows at WEIGHTS the first GROUPS times 16 scores x become {@code CAP - TWICE_CAP / (1 + exp(x * SCALE))}. */
    void softcap() {
        lanes.broadcast(FACTOR, AttentionEmitter.argument(AttentionMemory.SCALE));
        lanes.broadcast(CAP, AttentionEmitter.argument(AttentionMemory.CAP));
        lanes.broadcast(TWICE_CAP, AttentionEmitter.argument(AttentionMemory.TWICE_CAP));
        lanes.load(MOST, constant(Constant.MAX));
        rows(() -> groups(i -> {
            lanes.load(X, score(i));
            lanes.multiply(X, X, FACTOR);
            lanes.min(X, MOST, X); // NaN stays
            exp();
            lanes.add(X, X, constant(Constant.ONE));
            lanes.divide(X, TWICE_CAP, X);
            lanes.subtract(X, CAP, X);
            lanes.store(score(i), X);
        }));
    }

    /** Something for each row, at r8. */
    private void rows(Runnable row) {
        code.load(Register.R8, AttentionEmitter.argument(AttentionMemory.WEIGHTS));
        code.load(Register.R11, AttentionEmitter.argument(AttentionMemory.QUERIES));
        lanes.load(MIN, constant(Constant.MIN));
        Assembler.Label nextRow = code.label("row");
        code.store(AttentionEmitter.argument(AttentionMemory.SAVED), Register.R8);
        row.run();
        code.load(Register.R8, AttentionEmitter.argument(AttentionMemory.SAVED));
        code.add(Register.R8, WEIGHTS_ROW_BYTES);
        code.add(Register.R11, -1);
        code.jumpIfNotZero(nextRow);
        code.zeroUpper();
        code.ret();
    }

    /** To all lanes. NaN is never larger. */
    private void largest() {
        for (int i = 0; i < parts; i++) {
            lanes.load(i, constant(Constant.MINUS_INFINITY));
        }
        groups(i -> {
            lanes.load(MAX, score(i));
            lanes.max(i, MAX, i);
        });
        if (lanes.wide()) { // its upper half is the second vector
            lanes.store(AttentionEmitter.argument(AttentionMemory.SPARE), 0);
            code.vector(VectorOp.VMOVDQU, 1, AttentionEmitter.argument(AttentionMemory.SPARE + GROUP_BYTES / 2));
        }
        code.vector(VectorOp.VMAXPS, 0, 0, 1);
        code.vector(VectorOp.VPERM2F128, 1, 0, 0, SWAP_HALVES);
        code.vector(VectorOp.VMAXPS, 0, 0, 1);
        code.vector(VectorOp.VPSHUFD, 1, 0, 0, SWAP_PAIRS);
        code.vector(VectorOp.VMAXPS, 0, 0, 1);
        code.vector(VectorOp.VPSHUFD, 1, 0, 0, SWAP_NEIGHBOURS);
        code.vector(VectorOp.VMAXPS, 0, 0, 1);
        code.vector(VectorOp.VMOVDQU_STORE, 0, new Address(Register.R9, 0));
        lanes.broadcast(MAX, new Address(Register.R9, 0));
    }

    private void exponentials() {
        for (int i = 0; i < parts; i++) {
            lanes.clear(SUMS + i);
        }
        groups(i -> {
            lanes.load(X, score(i));
            lanes.subtract(X, X, MAX);
            exp();
            lanes.store(score(i), X);
            lanes.move(SUMS_BEFORE + i, SUMS + i);
            lanes.add(SUMS + i, SUMS + i, X);
        });
        for (int i = 0; i < parts; i++) {
            lanes.store(new Address(Register.R9, AttentionMemory.PARTIAL_SUMS + i * lanes.bytes()), SUMS_BEFORE + i);
        }
    }

    /** {@link FloatExp#exp} of X, which is not above the largest argument. */
    private void exp() {
        lanes.max(X, MIN, X); // NaN stays
        lanes.multiply(SHIFTED, X, constant(Constant.LOG2_E));
        lanes.add(SHIFTED, SHIFTED, constant(Constant.ROUND));
        lanes.subtract(N, SHIFTED, constant(Constant.ROUND));
        lanes.addProduct(X, N, constant(Constant.MINUS_LN2_HIGH));
        lanes.addProduct(X, N, constant(Constant.MINUS_LN2_LOW));
        lanes.load(P, constant(Constant.P0));
        lanes.multiplyAdd(P, X, constant(Constant.P1));
        lanes.multiplyAdd(P, X, constant(Constant.P2));
        lanes.multiplyAdd(P, X, constant(Constant.P3));
        lanes.multiplyAdd(P, X, constant(Constant.P4));
        lanes.multiplyAdd(P, X, constant(Constant.P5));
        lanes.multiply(SQUARE, X, X);
        lanes.multiplyAdd(P, SQUARE, X);
        lanes.add(P, P, constant(Constant.ONE));
        lanes.addIntegers(SHIFTED, SHIFTED, constant(Constant.EXPONENT_BIAS)); // n is in its lowest bits
        lanes.shiftLeft(SHIFTED, SHIFTED, EXPONENT_PLACE);
        lanes.multiply(X, P, SHIFTED);
    }

    /** Something for each vector of each group of 16 scores. */
    private void groups(IntConsumer part) {
        code.load(Register.RAX, AttentionEmitter.argument(AttentionMemory.GROUPS));
        Assembler.Label next = code.label("vectors");
        for (int i = 0; i < parts; i++) {
            part.accept(i);
        }
        code.add(Register.R8, GROUP_BYTES);
        code.add(Register.RAX, -1);
        code.jumpIfNotZero(next);
    }

    private Address score(int part) {
        return new Address(Register.R8, part * lanes.bytes());
    }

    private static Address constant(Constant constant) {
        return AttentionEmitter.argument(constant.offset());
    }
}

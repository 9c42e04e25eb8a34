package dev.tidestream.model.kernels.jit.attention;

import java.util.function.IntConsumer;

import dev.tidestream.model.kernels.jit.attention.AttentionMemory.Constant;
import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.kernels.jit.base.RegisterRange;
import dev.tidestream.model.kernels.jit.base.VectorRegisters;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.machine.VectorOp;
import dev.tidestream.model.tensor.FloatExp;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.kernels.jit.attention.AttentionMemory.RESULT_BYTES;
import static dev.tidestream.model.kernels.jit.attention.AttentionMemory.WEIGHTS_ROW_BYTES;

/**
 * Writes the programs that cap scores and that make weights of them, by {@link FloatExp}. Of the weights, each row's largest
 * score is left and 16 partial sums, but for the last 16 weights, of which some may not count.
 *
 * <pre>
 * registers   rdi arguments, r8 the row, r9 its result, rax groups to go, r11 rows to go
 * </pre>
 *
 * <p>Vector registers are those of {@link #SOFTMAX} and {@link #SOFTCAP}; sums take two for their 16 lanes with 256 bits, with
 * 512 one.
 */
final class SoftmaxEmitter {
    private static final int OF_EXP = 7;
    private static final VectorRegisters SOFTMAX = VectorRegisters.ymm();
    private static final int X = SOFTMAX.take("score, then its exponential", 1).only();
    private static final int SHIFTED = SOFTMAX.take("round + n, then the exponent", 1).only();
    private static final int N = SOFTMAX.take("n", 1).only();
    private static final int P = SOFTMAX.take("polynomial", 1).only();
    private static final int SQUARE = SOFTMAX.take("square of the argument", 1).only();
    private static final int MAX = SOFTMAX.take("largest score", 1).only();
    private static final int MIN = SOFTMAX.take("smallest argument of exp", 1).only();
    private static final RegisterRange SUMS = SOFTMAX.without("none", 1).take("sums", 2);
    private static final RegisterRange SUMS_BEFORE = SOFTMAX.take("sums before the last group", 2);

    private static final VectorRegisters SOFTCAP = VectorRegisters.ymm().without("those of exp", OF_EXP);
    private static final int MOST = SOFTCAP.take("largest argument of exp", 1).only();
    private static final int FACTOR = SOFTCAP.take("factor", 1).only();
    private static final int CAP = SOFTCAP.take("cap", 1).only();
    private static final int TWICE_CAP = SOFTCAP.take("twice the cap", 1).only();

    /** While a row's largest score is looked for. */
    private static final RegisterRange LARGEST = VectorRegisters.ymm().take("largest of two halves", 2);
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
     * {@code f(arguments)}: of QUERIES rows at WEIGHTS the first GROUPS times 16 scores become {@code exp(score - max)}; at TO go
     * each row's largest score and partial sums.
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

    /**
     * {@code f(arguments)}: of QUERIES rows at WEIGHTS the first GROUPS times 16 scores x become
     * {@code CAP - TWICE_CAP / (1 + exp(x * SCALE))}.
     */
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
            lanes.load(LARGEST.at(i), constant(Constant.MINUS_INFINITY));
        }
        groups(i -> {
            lanes.load(MAX, score(i));
            lanes.max(LARGEST.at(i), MAX, LARGEST.at(i));
        });
        int first = LARGEST.at(0);
        int second = LARGEST.at(1);
        if (lanes.wide()) { // its upper half is the second vector
            lanes.store(AttentionEmitter.argument(AttentionMemory.SPARE), first);
            code.vector(VectorOp.VMOVDQU, second, AttentionEmitter.argument(AttentionMemory.SPARE + GROUP_BYTES / 2));
        }
        code.vector(VectorOp.VMAXPS, first, first, second);
        code.vector(VectorOp.VPERM2F128, second, first, first, SWAP_HALVES);
        code.vector(VectorOp.VMAXPS, first, first, second);
        code.vector(VectorOp.VPSHUFD, second, 0, first, SWAP_PAIRS);
        code.vector(VectorOp.VMAXPS, first, first, second);
        code.vector(VectorOp.VPSHUFD, second, 0, first, SWAP_NEIGHBOURS);
        code.vector(VectorOp.VMAXPS, first, first, second);
        code.vector(VectorOp.VMOVDQU_STORE, first, new Address(Register.R9, 0));
        lanes.broadcast(MAX, new Address(Register.R9, 0));
    }

    private void exponentials() {
        for (int i = 0; i < parts; i++) {
            lanes.clear(SUMS.at(i));
        }
        groups(i -> {
            lanes.load(X, score(i));
            lanes.subtract(X, X, MAX);
            exp();
            lanes.store(score(i), X);
            lanes.move(SUMS_BEFORE.at(i), SUMS.at(i));
            lanes.add(SUMS.at(i), SUMS.at(i), X);
        });
        for (int i = 0; i < parts; i++) {
            lanes.store(new Address(Register.R9, AttentionMemory.PARTIAL_SUMS + i * lanes.bytes()), SUMS_BEFORE.at(i));
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

package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.tensor.Activations;

import static dev.tidestream.model.kernels.jit.avx2.QuadCode.VECTOR;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.constant;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.scratch;
import static dev.tidestream.model.machine.VectorOp.VADDPS;
import static dev.tidestream.model.machine.VectorOp.VCVTDQ2PS;
import static dev.tidestream.model.machine.VectorOp.VDIVPS;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU_STORE;
import static dev.tidestream.model.machine.VectorOp.VMULPS;
import static dev.tidestream.model.machine.VectorOp.VPACKSSDW;
import static dev.tidestream.model.machine.VectorOp.VPACKSSWB;
import static dev.tidestream.model.machine.VectorOp.VPADDD;
import static dev.tidestream.model.machine.VectorOp.VPAND;
import static dev.tidestream.model.machine.VectorOp.VPBROADCASTD;
import static dev.tidestream.model.machine.VectorOp.VPCMPGTD;
import static dev.tidestream.model.machine.VectorOp.VPERM2F128;
import static dev.tidestream.model.machine.VectorOp.VPMADDUBSW;
import static dev.tidestream.model.machine.VectorOp.VPMADDWD;
import static dev.tidestream.model.machine.VectorOp.VPMAXSD;
import static dev.tidestream.model.machine.VectorOp.VPMULLD;
import static dev.tidestream.model.machine.VectorOp.VPOR;
import static dev.tidestream.model.machine.VectorOp.VPSHUFD;
import static dev.tidestream.model.machine.VectorOp.VPSUBD;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKLDQ;
import static dev.tidestream.model.machine.VectorOp.VPUNPCKLQDQ;
import static dev.tidestream.model.machine.VectorOp.VPXOR;

/**
 * Writes the program that makes {@link ActivationRecord}s of a row's blocks, {@code void f(scratch, records, values)}: what
 * {@link Activations} says a code and a scale are, with AVX2.
 *
 * <pre>
 * registers   rdi scratch, rsi record, rdx values, r10 blocks to go
 *             0–3 values of a block, then quants: 4 columns of 0–15 and of 16–31 to a register
 *             4 the largest magnitude, then what values are multiplied with; 5 the scale, 6 whether the magnitude is finite
 *             7–9 free
 * </pre>
 */
public final class RecordEmitter {
    private static final int VALUES = 4; // registers
    private static final int LARGEST = 4;
    private static final int SCALE = 5;
    private static final int FINITE = 6;
    private static final int LOWER_HALVES = 0x20; // for VPERM2F128
    private static final int UPPER_HALVES = 0x31;
    private static final int SWAP_HALVES = 0x01;
    private static final int SWAP_PAIRS = 0x4E; // for VPSHUFD
    private static final int SWAP_NEIGHBOURS = 0xB1;

    private final Assembler code;

    private RecordEmitter(Assembler code) {
        this.code = code;
    }

    /** Writes the program. */
    public static void write(Assembler code) {
        new RecordEmitter(code).program();
    }

    private void program() {
        code.add(Register.RSI, scratch(KernelScratch.OUT_OFFSET));
        code.add(Register.RDX, scratch(KernelScratch.VALUES_OFFSET));
        code.load(Register.R10, scratch(KernelScratch.BLOCK_COUNT));
        Assembler.Label next = code.label("block");
        load();
        largest();
        factors();
        quants();
        sums();
        code.add(Register.RDX, PanelLayout.BLOCK * Float.BYTES);
        code.add(Register.RSI, scratch(KernelScratch.RECORD_STRIDE));
        code.add(Register.R10, -1);
        code.jumpIfNotZero(next);
        code.zeroUpper();
        code.ret();
    }

    /** So that packing leaves quants in order: it works on halves of registers. */
    private void load() {
        for (int i = 0; i < VALUES / 2; i++) {
            code.vector(VMOVDQU, 7, values(i));
            code.vector(VMOVDQU, 8, values(i + VALUES / 2));
            code.vector(VPERM2F128, 2 * i, 7, 8, LOWER_HALVES);
            code.vector(VPERM2F128, 2 * i + 1, 7, 8, UPPER_HALVES);
        }
    }

    /** The largest magnitude, or what it counts for at least, in all lanes. Magnitudes have the order of their bits. */
    private void largest() {
        code.vector(VMOVDQU, 9, constant(VectorConstant.MAGNITUDE));
        code.vector(VPAND, LARGEST, 9, 0);
        for (int i = 1; i < VALUES; i++) {
            code.vector(VPAND, 7, 9, i);
            code.vector(VPMAXSD, LARGEST, LARGEST, 7);
        }
        code.vector(VPERM2F128, 7, LARGEST, LARGEST, SWAP_HALVES);
        code.vector(VPMAXSD, LARGEST, LARGEST, 7);
        code.vector(VPSHUFD, 7, 0, LARGEST, SWAP_PAIRS);
        code.vector(VPMAXSD, LARGEST, LARGEST, 7);
        code.vector(VPSHUFD, 7, 0, LARGEST, SWAP_NEIGHBOURS);
        code.vector(VPMAXSD, LARGEST, LARGEST, 7);
        code.vector(VPBROADCASTD, 7, scratch(KernelScratch.LEAST_MAGNITUDE));
        code.vector(VPMAXSD, LARGEST, LARGEST, 7);
    }

    /** What values are multiplied with: 127 / largest, or 0 if that is too large. */
    private void factors() {
        code.vector(VMOVDQU, 8, constant(VectorConstant.INFINITY));
        code.vector(VMOVDQU, 9, constant(VectorConstant.LARGEST_QUANT));
        code.vector(VDIVPS, SCALE, LARGEST, 9);
        code.vector(VPCMPGTD, FINITE, 8, LARGEST);
        code.vector(VDIVPS, LARGEST, 9, LARGEST);
        code.vector(VPCMPGTD, 7, 8, LARGEST);
        code.vector(VPAND, LARGEST, LARGEST, 7);
    }

    /** Codes, all 0 if the largest magnitude is not finite; in order as bytes to 0, and to the record. */
    private void quants() {
        code.vector(VMOVDQU, 9, constant(VectorConstant.ROUND));
        for (int i = 0; i < VALUES; i++) {
            code.vector(VMULPS, i, i, LARGEST);
            code.vector(VADDPS, i, i, 9);
            code.vector(VPSUBD, i, i, 9);
            code.vector(VPAND, i, i, FINITE);
        }
        code.vector(VPACKSSDW, 0, 0, 1);
        code.vector(VPACKSSDW, 2, 2, 3);
        code.vector(VPACKSSWB, 0, 0, 2);
        code.vector(VMOVDQU_STORE, 0, new Address(Register.RSI, 0));
    }

    /** What follows the quants in the record. */
    private void sums() {
        code.vector(VMOVDQU, 7, constant(VectorConstant.ONE_BYTES));
        code.vector(VPMADDUBSW, 0, 7, 0);
        code.vector(VPMADDWD, 0, 0, constant(VectorConstant.ONES));
        code.vector(VPSHUFD, 7, 0, 0, SWAP_PAIRS);
        code.vector(VPADDD, 0, 0, 7);
        code.vector(VPSHUFD, 7, 0, 0, SWAP_NEIGHBOURS);
        code.vector(VPADDD, 0, 0, 7); // of columns 0–15 in the lower half, of 16–31 in the upper
        code.vector(VPERM2F128, 1, 0, 0, SWAP_HALVES);
        code.vector(VPUNPCKLDQ, 2, 0, 1);
        code.vector(VPADDD, 0, 0, 1);
        code.vector(VPUNPCKLQDQ, 2, 2, 0);
        code.vector(VPMULLD, 2, 2, constant(VectorConstant.CENTRE_FACTORS_OF_HALVES));
        code.vector(VPXOR, 3, 3, 3);
        code.vector(VPSUBD, 3, 3, 0);
        code.vector(VCVTDQ2PS, 3, 3);
        code.vector(VPAND, 3, 3, constant(VectorConstant.MINUS_SUM_PLACE));
        code.vector(VPMULLD, 0, 0, constant(VectorConstant.CENTRE_FACTORS));
        code.vector(VPAND, SCALE, SCALE, constant(VectorConstant.SCALE_PLACE));
        code.vector(VPOR, 0, 0, 3);
        code.vector(VPOR, 0, 0, SCALE);
        code.vector(VPERM2F128, 0, 0, 2, LOWER_HALVES);
        code.vector(VMOVDQU_STORE, 0, new Address(Register.RSI, ActivationRecord.SCALE));
    }

    private static Address values(int i) {
        return new Address(Register.RDX, i * VECTOR);
    }
}

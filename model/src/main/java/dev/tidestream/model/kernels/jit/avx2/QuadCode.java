package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.kernels.jit.base.CallRegisters;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.PanelUnits;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;

import static dev.tidestream.model.machine.VectorOp.VCVTPH2PS;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU_STORE;

/**
 * Code that takes the integers of a format out of a panel, as quads: 8 rows by 4 columns of bytes, so that a row is a 32-bit
 * lane. A block of 32 columns has 8 quads, 4 groups of rows to each. The unpack
 * instructions permute the rows of a group, see the table at {@link #byteLines}; scales have the same order, and finished sums
 * are put in order again.
 *
 * <p>{@link CallRegisters#PANEL} points to the unit (the panel's next block or super-block), after {@link #header} to the block.
 * Only the vector registers 8–14 may be changed; 15 holds {@link #kept}.
 */
public abstract sealed class QuadCode permits QuadCodeQ40, QuadCodeQ80, QuadCodeQ4K, QuadCodeQ5K, QuadCodeQ6K, QuadCodeTernary {
    static final int GROUPS = 4;
    static final int QUADS = 8;
    /** Bytes of a vector. */
    static final int VECTOR = 32;
    /** For {@code VPERMQ}: the even 64-bit lanes, then the odd ones; twice, it does nothing. */
    static final int EVEN_THEN_ODD = 0b11_01_10_00;

    final Assembler code;
    final PanelUnits units;

    QuadCode(Assembler code, TensorFormat format) {
        this.code = code;
        this.units = PanelUnits.of(format);
    }

    /** Writes code that reads the header of a unit into {@code KernelScratch}. */
    void header() {
        // none but for super-blocks
    }

    /** How a quad is multiplied with quants, so that no sum leaves its range. */
    enum Products {
        /** Unsigned bytes; sums of pairs of columns fit 16 bits for the whole block, or for each half of it. */
        UNSIGNED,
        /** Signed bytes; the sums of 16 columns fit 16 bits. */
        SIGNED,
        /** Signed bytes; two products fit 16 bits, sums have 32. */
        SIGNED_WIDE
    }

    /** Receives quads in registers. */
    interface Sink {
        /** What follows is of a quad of columns; {@code quants} is a register for what it is multiplied with. */
        void quad(int quad, int quants);

        /**
         * @param vector the register; it may be changed
         * @param quants what {@link #quad} got
         * @param t a register to use; may be the vector for unsigned products
         */
        void take(int quad, int group, int vector, int quants, int t);
    }

    /** So many vector registers, from 8 on, may a recipe change. */
    static final int FREE = 7;

    /** The register of {@link #kept}. */
    static final int KEPT = 15;

    abstract Products products();

    /** A constant in a register, since it is used all the time. */
    VectorConstant kept() {
        return products() == Products.UNSIGNED ? VectorConstant.NIBBLES : VectorConstant.ONES;
    }

    /** Whether the unit's header has minima, to be subtracted. */
    boolean minima() {
        return false;
    }

    /** Whether each half of a block is summed alone. */
    boolean halves() {
        return false;
    }

    /** Where the scratch has what the sums of columns 16–31 are multiplied with, if there are halves. */
    int secondFactors() {
        return KernelScratch.FACTORS_2;
    }

    /** Whether integers have their centre added, so that they are unsigned; {@link #centre} takes it off again. */
    boolean centred() {
        return false;
    }

    /** Where {@code ActivationRecord} has what takes the centre off the sums of a block, if one was added. */
    int centre() {
        return ActivationRecord.CENTRE;
    }

    /**
     * The order of rows in the four groups, which comes from lines of bytes: {@code 0 16 1 17 8 24 9 25},
     * {@code 2 18 3 19 10 26 11 27}, {@code 4 20 5 21 12 …}, {@code 6 22 7 23 14 …}; or from lines of words:
     * {@code 0 16 1 17 4 20 5 21}, {@code 2 18 3 19 6 22 7 23}, {@code 8 24 9 25 12 …}, {@code 10 26 11 27 14 …}.
     */
    abstract boolean byteLines();

    /** Whether the groups of rows are in order, as they come from lines of 32 bits; {@link #byteLines} does not matter then. */
    boolean rowsInOrder() {
        return false;
    }

    /** Writes code that reads the scales of a block into {@code KernelScratch}. */
    abstract void scales();

    /** Writes code that makes the quads of a block; those of columns 0–15 come before the others if there are {@link #halves}. */
    abstract void quads(Sink sink);

    static Address panel(int offset) {
        return new Address(CallRegisters.PANEL, offset);
    }

    static Address scratch(int offset) {
        return new Address(CallRegisters.SCRATCH, offset);
    }

    static Address constant(VectorConstant constant) {
        return scratch(constant.offset());
    }

    /** Two groups of half-precision numbers in the halves of a register become floats in the scratch. */
    void floats(int halves, int t, int to, int group, int otherGroup) {
        code.vector(VCVTPH2PS, t, halves);
        code.vector(VMOVDQU_STORE, t, scratch(to + group * VECTOR));
        code.extractUpperHalf(halves, halves);
        code.vector(VCVTPH2PS, t, halves);
        code.vector(VMOVDQU_STORE, t, scratch(to + otherGroup * VECTOR));
    }
}

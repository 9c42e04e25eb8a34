package dev.tidestream.model.kernels.jit.avx512;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.jit.base.CallRegisters;
import dev.tidestream.model.kernels.jit.base.PanelUnits;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.kernels.jit.base.WideTable;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.machine.WideOp.VCVTDQ2PS;
import static dev.tidestream.model.machine.WideOp.VCVTPH2PS;
import static dev.tidestream.model.machine.WideOp.VMOVUPS;
import static dev.tidestream.model.machine.WideOp.VPANDD;
import static dev.tidestream.model.machine.WideOp.VPBROADCASTD;
import static dev.tidestream.model.machine.WideOp.VPERMT2B;
import static dev.tidestream.model.machine.WideOp.VPMOVDW;
import static dev.tidestream.model.machine.WideOp.VPSHUFB;

/**
 * Code that takes the integers of a format out of a panel with AVX-512, as quads: 16 rows by 4 columns of unsigned bytes, so that
 * a row is a 32-bit lane, in order. A block of 32 columns has 8 quads, 2 groups of rows to each. What is signed in the format has
 * a number added, which {@code ActivationRecord} takes off again: {@link #centre}.
 *
 * <pre>
 * registers   0, 1 scales · 2, 3 scales of minima · 4–7 the format's own · 8–13 may be changed · 16–31 quads, see {@link #tile}
 * </pre>
 *
 * <p>For products with floats, columns of quads become floats ({@link #toFloat}); 2, 3, 14 and 15 are needed for that.
 *
 * <p>{@link CallRegisters#PANEL} points to the unit (the panel's next block or super-block), after {@link #header} to the block.
 */
public abstract sealed class WideCode permits WideCodeQ40, WideCodeQ80, WideCodeOfMinima, WideCodeQ6K, WideCodeTernary {
    static final int GROUPS = 2;
    static final int QUADS = 8;
    /** Bytes of a vector. */
    public static final int VECTOR = 64;
    static final int SCALES = 0;
    static final int MIN_SCALES = 2;
    /** What the sums of a block are multiplied with, or those of its columns 0–15. */
    static final int FACTORS = 4;
    /** Of columns 16–31. */
    static final int FACTORS_2 = 6;
    /** Minima, as floats. */
    static final int MINIMA = 6;
    /** For floats, when there are quads. */
    static final int FOR_FLOATS = 3;
    private static final int BYTE_0 = 2;
    private static final int BYTE_1 = 14;
    private static final int BYTE_2 = 15;
    private static final int TILE = 16;

    final Assembler code;
    final PanelUnits units;

    WideCode(Assembler code, TensorFormat format) {
        this.code = code;
        this.units = PanelUnits.of(format);
    }

    /**
     * Where {@code ActivationRecord} has what takes the added number off the sums of a block, or of its halves; 0: nothing was
     * added.
     */
    abstract int centre();

    /** Whether the sums have {@link #FACTORS}. */
    boolean factors() {
        return false;
    }

    /** Whether the unit's header has minima, to be subtracted. */
    boolean minima() {
        return false;
    }

    /** Whether each half of a block has a factor of its own. */
    boolean halves() {
        return false;
    }

    /** Writes code that reads the header of a unit. */
    void header() {
        // none but for super-blocks
    }

    /** Writes code that reads the scales of a block. */
    abstract void scales();

    /** Writes code that makes the quads of a block. */
    abstract void quads();

    /** Pairs of chains of a block for products with floats, see {@link Kernels#multiply}; none: there is no program for them. */
    public abstract int pairs();

    /** Writes code that makes the quads of a block for {@link #toFloat}: signed bytes, or what the format likes better. */
    abstract void quadsForFloats();

    /** Writes code that loads what {@link #toFloat} needs, after {@link #quadsForFloats}. */
    void floatConstants() {
        table(BYTE_0, WideTable.BYTE_0_ON_TOP);
        table(BYTE_1, WideTable.BYTE_1_ON_TOP);
        table(BYTE_2, WideTable.BYTE_2_ON_TOP);
        code.wide(VPBROADCASTD, FOR_FLOATS, each(VectorConstant.TOP_BYTE));
    }

    /** Writes code that makes floats of a column of a quad: the byte at the top of 32 bits, as {@link #factor} knows. */
    void toFloat(int quad, int group, int column, int to) {
        if (column == 3) {
            code.wide(VPANDD, to, tile(quad, group), FOR_FLOATS);
        } else {
            code.wide(VPSHUFB, to, tile(quad, group), column == 0 ? BYTE_0 : column == 1 ? BYTE_1 : BYTE_2);
        }
        code.wide(VCVTDQ2PS, to, to);
    }

    /** Writes code that makes what the sum of a pair of chains is multiplied with. */
    abstract void factor(int pair, int group, int to);

    /** The register of a quad of columns and a group of rows. */
    static int tile(int quad, int group) {
        return TILE + GROUPS * quad + group;
    }

    static Address panel(int offset) {
        return new Address(CallRegisters.PANEL, offset);
    }

    static Address scratch(int offset) {
        return new Address(CallRegisters.SCRATCH, offset);
    }

    /** 32 bits of a constant. */
    static Address each(VectorConstant constant) {
        return scratch(constant.offset());
    }

    /** A whole register. */
    void table(int to, WideTable table) {
        code.wide(VMOVUPS, to, scratch(table.offset()));
    }

    /** A line of half-precision numbers, rows 0 16 1 17 …, becomes two registers of floats. */
    void floats(int offset, int to) {
        code.wide(VMOVUPS, 8, panel(offset));
        code.wide(VPMOVDW, 8, 9);
        code.wide(VCVTPH2PS, to, 9);
        code.wideShift(Shift.VPSRLD, 8, 8, 16);
        code.wide(VPMOVDW, 8, 9);
        code.wide(VCVTPH2PS, to + 1, 9);
    }

    /** Four lines of bytes from an offset, rows 0 16 1 17 …, become a quad of two groups; by the tables in 10 and 11. */
    void quadOfBytes(int offset, int to, int toSecond) {
        code.wide(VMOVUPS, to, panel(offset));
        code.wide(VMOVUPS, toSecond, panel(offset));
        code.wide(VPERMT2B, to, 10, panel(offset + VECTOR));
        code.wide(VPERMT2B, toSecond, 11, panel(offset + VECTOR));
    }

    /** Tables for {@link #quadOfBytes}. */
    void tablesOfBytes() {
        table(10, WideTable.BYTES_OF_ROWS_0_15);
        table(11, WideTable.BYTES_OF_ROWS_16_31);
    }
}

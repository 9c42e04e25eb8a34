package dev.tidestream.model.kernels.jit.avx2;

import java.util.List;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.jit.base.CallRegisters;
import dev.tidestream.model.kernels.jit.base.PanelUnits;
import dev.tidestream.model.kernels.jit.base.RegisterRange;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.kernels.jit.base.VectorRegisters;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.kernels.jit.avx2.QuadCode.VECTOR;
import static dev.tidestream.model.machine.VectorOp.VPERMQ;
import static dev.tidestream.model.machine.VectorOp.VSHUFPS;

/**
 * Code that takes the integers of a format out of a panel as floats, for products with floats. Eight rows are a group; which
 * ones is the format's to say, and it puts their sums in order: {@link #inOrder}.
 *
 * <p>Columns come in pairs of chains, a and b ({@link Kernels#multiply}): one pair for the block, or one for each half of it.
 * {@link CallRegisters#PANEL} points to the unit, after {@link #header} to the block. Only the vector registers of {@link #FREE}
 * may be changed, by a header that of {@link #X}, too; those of {@link #CONSTANTS} hold {@link #constants}.
 */
public abstract sealed class FloatCode permits FloatCodeQ40, FloatCodeQ80, FloatCodeQ6K {
    /** Bytes of the 16-bit numbers of a group: half a vector. */
    static final int GROUP_WORDS = VECTOR / 2;

    /** Roles of vector registers while columns are made and multiplied with one row. */
    private static final VectorRegisters COLUMNS = VectorRegisters.ymm();
    static final RegisterRange CONSTANTS = COLUMNS.take("constants of the recipe", 4);
    static final RegisterRange A = COLUMNS.take("chain a", QuadCode.GROUPS);
    static final RegisterRange B = COLUMNS.take("chain b", QuadCode.GROUPS);
    static final RegisterRange X = COLUMNS.take("element of x, then sums of a group", 1);
    static final RegisterRange FREE = COLUMNS.take("free for the recipe", 3);
    /** Where {@link #factor} leaves what it makes. */
    static final int FACTOR = FREE.at(1);

    /** Roles when sums are finished. */
    private static final VectorRegisters FINISHED = VectorRegisters.ymm();
    static final RegisterRange SUMS = FINISHED.take("sums of the groups", QuadCode.GROUPS);
    static final RegisterRange ORDERED = FINISHED.take("sums in the order of rows", QuadCode.GROUPS);

    final Assembler code;
    final PanelUnits units;

    FloatCode(Assembler code, TensorFormat format) {
        this.code = code;
        this.units = PanelUnits.of(format);
    }

    /** Writes code that reads the header of a unit into {@code KernelScratch}. */
    void header() {
        // none but for super-blocks
    }

    /** Receives integers as floats, or all of them times a power of two that {@link #factor} takes back. */
    interface Sink {
        /** What follows for a chain (0: a, 1: b) is of a column of the block. */
        void column(int chain, int column);

        /** @param floats a register with those of a group */
        void take(int chain, int column, int group, int floats);
    }

    /** What is to be in {@link #CONSTANTS} while columns are made. */
    List<VectorConstant> constants() {
        return List.of();
    }

    /**
     * Writes code that puts {@link #SUMS} in order; the registers of rows 0–7, 8–15, 16–23, 24–31. {@link #ORDERED} may be
     * changed.
     */
    abstract int[] inOrder();

    /** {@link #inOrder} for groups that are what lies side by side, {@code 0 16 1 17 2 18 3 19}, then {@code 4 20 …}. */
    public static int[] linesInOrder(Assembler code) {
        for (int eight = 0; eight < 2; eight++) {
            for (int upper = 0; upper < 2; upper++) {
                int to = ORDERED.at(2 * upper + eight);
                code.vector(VSHUFPS, to, SUMS.at(2 * eight), SUMS.at(2 * eight + 1), upper == 0 ? 0x88 : 0xDD);
                code.vector(VPERMQ, to, 0, to, QuadCode.EVEN_THEN_ODD);
            }
        }
        return new int[] {ORDERED.at(0), ORDERED.at(1), ORDERED.at(2), ORDERED.at(3)};
    }

    /** Pairs of chains of a block. */
    abstract int pairs();

    /** Writes code that makes the integers of a pair of chains, the columns of a chain in their order. */
    abstract void columns(int pair, Sink sink);

    /** Writes code that makes what the sum of a pair of chains is multiplied with, for a group, as floats in {@link #FACTOR}. */
    abstract void factor(int pair, int group);
}

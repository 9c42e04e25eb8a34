package dev.tidestream.model.kernels.jit.avx2;

import java.util.List;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.jit.base.PanelUnits;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.kernels.jit.avx2.QuadCode.VECTOR;
import static dev.tidestream.model.machine.VectorOp.VPERMQ;
import static dev.tidestream.model.machine.VectorOp.VSHUFPS;

/**
 * Code that takes the integers of a format out of a panel as floats, for products with floats. Eight rows are a group; which
 * ones is the format's to say, and it puts their sums in order: {@link #inOrder}.
 *
 * <p>Columns come in pairs of chains, a and b ({@link Kernels#multiply}): one pair for the block, or one for each half of it.
 * {@link Register#RDX} points to the unit, after {@link #header} to the block. Only the vector registers 13 to 15 may be
 * changed, by a header 12, too; 0 to 3 hold {@link #constants}.
 */
public abstract sealed class FloatCode permits FloatCodeQ40, FloatCodeQ80, FloatCodeQ6K {
    /** Bytes of the 16-bit numbers of a group: half a vector. */
    static final int GROUP_WORDS = VECTOR / 2;

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

    /** What is to be in the registers 0, 1 … while columns are made. */
    List<VectorConstant> constants() {
        return List.of();
    }

    /**
     * Writes code that puts the sums of groups 0–3, in the registers 0–3, in order; the registers of rows 0–7, 8–15, 16–23, 24–31.
     * 4–7 may be changed.
     */
    abstract int[] inOrder();

    /** {@link #inOrder} for groups that are what lies side by side, {@code 0 16 1 17 2 18 3 19}, then {@code 4 20 …}. */
    public static int[] linesInOrder(Assembler code) {
        for (int eight = 0; eight < 2; eight++) {
            for (int upper = 0; upper < 2; upper++) {
                int to = 4 + 2 * upper + eight;
                code.vector(VSHUFPS, to, 2 * eight, 2 * eight + 1, upper == 0 ? 0x88 : 0xDD);
                code.vector(VPERMQ, to, 0, to, QuadCode.EVEN_THEN_ODD);
            }
        }
        return new int[] {4, 5, 6, 7};
    }

    /** Pairs of chains of a block. */
    abstract int pairs();

    /** Writes code that makes the integers of a pair of chains, the columns of a chain in their order. */
    abstract void columns(int pair, Sink sink);

    /** Writes code that makes what the sum of a pair of chains is multiplied with, for a group, as floats in register 14. */
    abstract void factor(int pair, int group);
}

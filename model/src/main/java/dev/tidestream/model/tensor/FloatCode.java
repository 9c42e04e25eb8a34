package dev.tidestream.model.tensor;

import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;

import static dev.tidestream.model.tensor.QuadCode.VECTOR;

/**
 * Code that takes the integers of a format out of a panel one by one, as 32-bit lanes, for products with floats. A group of rows is
 * what lies side by side in the panel, {@code 0 16 1 17 2 18 3 19}, then {@code 4 20 …}, or eight rows in order: {@link #inOrder}.
 *
 * <p>Columns come in pairs of chains, a and b ({@link Kernels#multiply}): one pair for the block, or one for each half of it.
 * {@link Register#RDX} points to the unit, after {@link #header} to the block. Only the vector registers 14 and 15 may be changed, by a header 12 and 13, too.
 */
abstract sealed class FloatCode permits FloatCodeQ40, FloatCodeQ80, FloatCodeQ6K {
    /** Bytes of the 16-bit numbers of a group: half a vector. */
    static final int GROUP_WORDS = VECTOR / 2;

    final Assembler code;
    final PanelUnits units;

    FloatCode(Assembler code, TensorFormat format) {
        this.code = code;
        this.units = PanelUnits.of(format);
    }

    /** Writes code that reads the header of a unit into {@link MachineScratch}. */
    void header() {
        // none but for super-blocks
    }

    /** Receives integers, or all of them times a power of two that {@link #factor} takes back. */
    interface Sink {
        /** What follows for a chain (0: a, 1: b) is of a column of the block. */
        void column(int chain, int column);

        /** @param integers a register with those of a group, which may be changed */
        void take(int chain, int column, int group, int integers);
    }

    /** Whether group g is rows 8g to 8g + 7. */
    boolean inOrder() {
        return false;
    }

    /** Pairs of chains of a block. */
    abstract int pairs();

    /** Writes code that makes the integers of a pair of chains, the columns of a chain in their order. */
    abstract void columns(int pair, Sink sink);

    /** Writes code that makes what the sum of a pair of chains is multiplied with, for a group, as floats in register 14. */
    abstract void factor(int pair, int group);
}

package dev.tidestream.model.kernels.jit.chain;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.kernels.jit.base.CallRegisters;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.kernels.jit.base.PanelUnits;
import dev.tidestream.model.kernels.jit.base.RegisterRange;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.kernels.jit.base.VectorRegisters;
import dev.tidestream.model.machine.Address;

import static dev.tidestream.model.machine.VectorOp.VCVTPH2PS;
import static dev.tidestream.model.machine.VectorOp.VPERMQ;
import static dev.tidestream.model.machine.VectorOp.VSHUFPS;

/**
 * Code that takes the weights of Q4_K or Q5_K out of a panel as floats, {@code w = fma(d * scale, q, -(dmin * min))}. A line of
 * the panel is one vector (AVX-512) or two ({@link #parts}); a 32-bit lane of it holds rows r and r + 16. So the rows of a line
 * fall into groups: first r of each part, then r + 16, which is their order.
 *
 * <p>{@link CallRegisters#PANEL} points to the unit, after {@link #header} to the block.
 */
public abstract sealed class ChainCode permits ChainCodeQ4K, ChainCodeQ5K {
    private static final int MOST_GROUPS = 4;
    /** Roles of vector registers, of 256 bits or 512. */
    private static final VectorRegisters ROLES = VectorRegisters.ymm();
    /** For one row. */
    static final RegisterRange SUMS = ROLES.take("sums of the row", MOST_GROUPS);
    private static final RegisterRange SCALES = ROLES.take("d * scale of the groups", MOST_GROUPS);
    private static final RegisterRange MINIMA = ROLES.take("dmin * min of the groups", MOST_GROUPS);
    /** For one row. */
    static final int X = ROLES.take("element of x", 1).only();
    static final int LINE = ROLES.take("a line", 1).only();
    static final int FLOATS = ROLES.take("weights of a group", 1).only();
    static final int CONSTANT = ROLES.take("constant of the format", 1).only();
    /** For {@code VPERMQ}: the even 64-bit lanes, then the odd ones. */
    private static final int EVEN_THEN_ODD = 0b11_01_10_00;

    final Lanes lanes;
    final PanelUnits units;

    ChainCode(Lanes lanes, TensorFormat format) {
        this.lanes = lanes;
        this.units = PanelUnits.of(format);
    }

    /** Receives weights, column by column. */
    interface Sink {
        /** What follows is of this column of the block. */
        void column(int column);

        /** @param weights a register with those of a group; it may be changed */
        void take(int column, int group, int weights);
    }

    /** Vectors of a line. */
    static int parts(Lanes lanes) {
        return lanes.vectors(PanelLayout.ROWS) / 2;
    }

    /** Writes code that puts into {@link #CONSTANT} what {@link #columns} needs there. */
    abstract void constant();

    /** Writes code that makes the weights of a block, the columns in their order. */
    abstract void columns(Sink sink);

    static Address panel(int offset) {
        return new Address(CallRegisters.PANEL, offset);
    }

    static Address scratch(int offset) {
        return new Address(CallRegisters.SCRATCH, offset);
    }

    /** Writes code that reads d and dmin of a unit into {@code KernelScratch}; changes {@link #SCALES}. */
    void header() {
        halves(0, KernelScratch.SCALES);
        halves(PanelLayout.SCALE_BYTES, KernelScratch.MIN_SCALES);
    }

    /** A line of half-precision numbers becomes floats, by groups. */
    private void halves(int offset, int to) {
        int parts = parts(lanes);
        if (lanes.wide()) {
            lanes.load(SCALES.at(0), panel(offset));
            for (int upper = 0; upper < 2; upper++) {
                if (upper > 0) {
                    lanes.shiftRight(SCALES.at(0), SCALES.at(0), Short.SIZE);
                }
                lanes.wordsToFloats(SCALES.at(1), SCALES.at(0));
                lanes.store(scratch(to + upper * lanes.bytes()), SCALES.at(1));
            }
            return;
        }
        for (int part = 0; part < parts; part++) {
            lanes.code().vector(VCVTPH2PS, SCALES.at(0), panel(offset + part * lanes.bytes()));
            lanes.code().vector(VCVTPH2PS, SCALES.at(1), panel(offset + part * lanes.bytes() + lanes.bytes() / 2));
            for (int upper = 0; upper < 2; upper++) {
                int ordered = SCALES.at(2);
                lanes.code().vector(VSHUFPS, ordered, SCALES.at(0), SCALES.at(1), upper == 0 ? 0x88 : 0xDD);
                lanes.code().vector(VPERMQ, ordered, 0, ordered, EVEN_THEN_ODD);
                lanes.store(scratch(to + (part + parts * upper) * lanes.bytes()), ordered);
            }
        }
    }

    /** Writes code that makes the factors of a block: a word is a scale and a minimum. */
    void factors() {
        int parts = parts(lanes);
        for (int part = 0; part < parts; part++) {
            lanes.load(LINE, panel(part * lanes.bytes()));
            for (int upper = 0; upper < 2; upper++) {
                int group = part + parts * upper;
                factor(SCALES.at(group), Short.SIZE * upper, KernelScratch.SCALES + group * lanes.bytes());
                factor(MINIMA.at(group), Short.SIZE * upper + Byte.SIZE, KernelScratch.MIN_SCALES + group * lanes.bytes());
            }
        }
    }

    private void factor(int to, int below, int scale) {
        lanes.shiftRight(to, LINE, below);
        lanes.and(to, to, VectorConstant.LOWEST_BYTE);
        lanes.toFloats(to, to);
        lanes.multiply(to, to, scratch(scale));
    }

    /** A line of a block, counted from 0, a part of it. */
    void line(int to, int line, int part) {
        lanes.load(to, panel(PanelLayout.LINE_BYTES * (1 + line) + part * lanes.bytes()));
    }

    /**
     * Gives the weights of both rows of each lane of {@link #LINE}, whose integers are so many bits above the bottom of their
     * words.
     */
    void give(Sink sink, int column, int part, int below) {
        for (int upper = 0; upper < 2; upper++) {
            int group = part + parts(lanes) * upper;
            integers(Short.SIZE * upper + below);
            lanes.multiplySubtract(FLOATS, SCALES.at(group), MINIMA.at(group));
            sink.take(column, group, FLOATS);
        }
    }

    /**
     * Writes code that makes floats of the integers in {@link #LINE}, so many bits above the bottom of their lanes, in
     * {@link #FLOATS}.
     */
    abstract void integers(int below);

    /** The same by a mask in {@link #CONSTANT}. */
    void maskedIntegers(int below) {
        if (below > 0) {
            lanes.shiftRight(FLOATS, LINE, below);
        }
        lanes.and(FLOATS, below > 0 ? FLOATS : LINE, CONSTANT);
        lanes.toFloats(FLOATS, FLOATS);
    }
}

package dev.tidestream.model.kernels.jit.tile;

import dev.tidestream.model.format.base.PanelTile;
import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.kernels.jit.base.RegisterRange;
import dev.tidestream.model.kernels.jit.base.VectorRegisters;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.machine.Shift;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.HALF;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.jit.tile.TileScratch.ROW_BYTES;
import static dev.tidestream.model.machine.VectorOp.VPERMQ;
import static dev.tidestream.model.machine.VectorOp.VPMOVSXBD;
import static dev.tidestream.model.machine.VectorOp.VSHUFPS;

/**
 * Writes the kernels that multiply 32 columns of 32 rows of any quantised format, unpacked as a {@link PanelTile}, with all rows
 * of activations: {@code void f(scratch, quants, x)}, AVX2 code, rounded as {@link Kernels#multiply} says. First the integers
 * become a tile of floats, then each row of activations goes over it and adds to its sums.
 *
 * <p>A column of a {@link PanelTile} is 32 bytes, rows {@code 0 16 1 17 …}. Four shifts of its 32-bit lanes give four groups of
 * rows: {@code 0 2 … 14}, {@code 16 18 … 30}, {@code 1 3 … 15}, {@code 17 19 … 31}. Scales are put in this order; {@link #ROW_OF}
 * says it.
 *
 * <p>Integers times their scales, and sums of a block of int8 activations, stay below 2^24 and are exact as floats, in any order.
 */
final class TileEmitter {
    /** Rows of a panel in the order of sums. */
    static final int[] ROW_OF = rowOf();

    private static final int GROUPS = 4;
    private static final int VECTOR = 32; // bytes
    private static final int HALF_BYTES = HALF * Float.BYTES; // from row 0 to row 16
    /** For {@code VPERMQ}: the even 64-bit lanes, then the odd ones. */
    private static final int EVEN_THEN_ODD = 0b11_01_10_00;
    private static final int EVEN = 0x88; // for VSHUFPS
    private static final int ODD = 0xDD;

    private static final Register SCRATCH = Register.RDI;
    private static final Register QUANTS = Register.RSI;
    private static final Register X = Register.RDX;
    private static final Register RECORD = Register.RCX;
    private static final Register SUMS = Register.R8;
    private static final Register TILE_COLUMN = Register.R9;
    private static final Register LEFT = Register.R11;

    private static final VectorRegisters FILL = VectorRegisters.ymm();
    private static final RegisterRange FACTORS = FILL.take("factors of the groups", GROUPS);
    private static final RegisterRange OFFSETS = FILL.take("offsets of the groups", GROUPS);
    private static final RegisterRange BYTES = FILL.take("a column of integers", 1);
    private static final RegisterRange WEIGHTS = FILL.take("weights of a group", 1);
    private static final RegisterRange ORDERED = FILL.take("scales of a group", 2);

    private static final VectorRegisters PRODUCTS = VectorRegisters.ymm();
    private static final RegisterRange LOW = PRODUCTS.take("first chains, or sums of elements", GROUPS);
    private static final RegisterRange HIGH = PRODUCTS.take("second chains", GROUPS);
    private static final RegisterRange X_LOW = PRODUCTS.take("element of x for the first chain", 1);
    private static final RegisterRange X_HIGH = PRODUCTS.take("element of x for the second chain", 1);
    private static final RegisterRange FACTOR = PRODUCTS.take("what a sum is multiplied with", 1);
    private static final RegisterRange SUM = PRODUCTS.take("sums of a group", 1);
    private static final RegisterRange SCALE = PRODUCTS.take("scale of the row of activations", 1);
    private static final RegisterRange QUANT_SUMS = PRODUCTS.take("sums of the quants of both halves", 2);
    private static final RegisterRange MINIMA = PRODUCTS.take("minima of a group times sums of quants", 1);

    private final Assembler code;
    private final Lanes lanes;
    private final TileKind kind;

    private TileEmitter(Assembler code, TileKind kind) {
        this.code = code;
        this.lanes = new Lanes(code, false);
        this.kind = kind;
    }

    private static int[] rowOf() {
        int[] rows = new int[ROWS];
        for (int i = 0; i < ROWS; i++) {
            int group = i / (ROWS / GROUPS);
            rows[i] = group % 2 * HALF + i % (ROWS / GROUPS) * 2 + group / 2;
        }
        return rows;
    }

    static void write(Assembler code, TileKind kind) {
        new TileEmitter(code, kind).write();
    }

    private void write() {
        scalesInOrder();
        fill();
        code.load(SUMS, scratch(TileScratch.SUMS));
        code.load(LEFT, scratch(TileScratch.ROW_COUNT));
        if (kind.int8()) {
            code.load(RECORD, scratch(TileScratch.RECORDS));
        } else {
            code.add(X, scratch(TileScratch.VALUES_OFFSET));
        }
        Assembler.Label next = code.label("row");
        switch (kind) {
            case ELEMENTS -> elements();
            case CHAINS_OF_16, CHAINS_OF_8 -> chains();
            case INT8, INT8_WITH_MINIMA -> quants();
        }
        if (kind.int8()) {
            code.add(RECORD, ActivationRecord.BYTES);
        } else {
            code.add(X, scratch(TileScratch.VALUES_STRIDE));
        }
        code.add(SUMS, ROW_BYTES);
        code.add(LEFT, -1);
        code.jumpIfNotZero(next);
        code.zeroUpper();
        code.ret();
    }

    // ---- scales

    /** What rows of activations need of scales goes to the scratch, in the order of groups. */
    private void scalesInOrder() {
        if (kind == TileKind.ELEMENTS) {
            return;
        }
        for (int g = 0; g < GROUPS; g++) {
            inOrder(BYTES.only(), TileScratch.D, g);
            if (kind.int8()) {
                lanes.store(group(TileScratch.SUM_FACTORS, g), BYTES.only());
                continue;
            }
            for (int half = 0; half < 2; half++) {
                inOrder(WEIGHTS.only(), TileScratch.SCALES + half * ROW_BYTES, g);
                lanes.multiply(WEIGHTS.only(), BYTES.only(), WEIGHTS.only());
                lanes.store(group(TileScratch.SUM_FACTORS + half * ROW_BYTES, g), WEIGHTS.only());
            }
        }
        if (kind == TileKind.INT8_WITH_MINIMA) {
            for (int g = 0; g < GROUPS; g++) {
                inOrder(BYTES.only(), TileScratch.M, g);
                lanes.store(group(TileScratch.MIN_FACTORS, g), BYTES.only());
                for (int half = 0; half < 2; half++) {
                    inOrder(BYTES.only(), TileScratch.MINS + half * ROW_BYTES, g);
                    lanes.store(group(TileScratch.MIN_SCALES + half * ROW_BYTES, g), BYTES.only());
                }
            }
        }
    }

    /** The rows of a group, of (32) floats in row order. */
    private void inOrder(int to, int from, int group) {
        int first = from + group % 2 * HALF_BYTES;
        lanes.load(ORDERED.at(0), scratch(first));
        lanes.load(ORDERED.at(1), scratch(first + VECTOR));
        code.vector(VSHUFPS, to, ORDERED.at(0), ORDERED.at(1), group < 2 ? EVEN : ODD);
        code.vector(VPERMQ, to, 0, to, EVEN_THEN_ODD);
    }

    // ---- the tile

    /** Integers, or {@code q * scale}, or {@code fma(q, d * scale, m * min)}. */
    private void fill() {
        code.move(TILE_COLUMN, SCRATCH);
        for (int half = 0; half < 2; half++) {
            if (kind == TileKind.ELEMENTS || kind.int8()) {
                factors(half);
            }
            code.load(LEFT, HALF);
            Assembler.Label next = code.label("column");
            lanes.load(BYTES.only(), new Address(QUANTS, 0));
            for (int g = 0; g < GROUPS; g++) {
                weights(g);
                lanes.store(new Address(TILE_COLUMN, TileScratch.TILE + g * VECTOR), WEIGHTS.only());
            }
            code.add(QUANTS, ROWS);
            code.add(TILE_COLUMN, ROW_BYTES);
            code.add(LEFT, -1);
            code.jumpIfNotZero(next);
        }
    }

    private void factors(int half) {
        for (int g = 0; g < GROUPS; g++) {
            inOrder(FACTORS.at(g), TileScratch.SCALES + half * ROW_BYTES, g);
            if (kind == TileKind.ELEMENTS) {
                inOrder(WEIGHTS.only(), TileScratch.D, g);
                lanes.multiply(FACTORS.at(g), WEIGHTS.only(), FACTORS.at(g));
                inOrder(OFFSETS.at(g), TileScratch.MINS + half * ROW_BYTES, g);
                inOrder(WEIGHTS.only(), TileScratch.M, g);
                lanes.multiply(OFFSETS.at(g), WEIGHTS.only(), OFFSETS.at(g));
            }
        }
    }

    private void weights(int group) {
        int bytes = BYTES.only();
        if (group < GROUPS - 1) {
            lanes.shiftLeft(WEIGHTS.only(), bytes, Byte.SIZE * (GROUPS - 1 - group));
            bytes = WEIGHTS.only();
        }
        code.shift(Shift.VPSRAD, WEIGHTS.only(), bytes, Byte.SIZE * (GROUPS - 1));
        lanes.toFloats(WEIGHTS.only(), WEIGHTS.only());
        if (kind == TileKind.ELEMENTS) {
            lanes.multiplyAdd(WEIGHTS.only(), FACTORS.at(group), OFFSETS.at(group));
        } else if (kind.int8()) {
            lanes.multiply(WEIGHTS.only(), WEIGHTS.only(), FACTORS.at(group));
        }
    }

    // ---- a row of activations

    private void elements() {
        for (int g = 0; g < GROUPS; g++) {
            lanes.load(LOW.at(g), sums(g));
        }
        for (int column = 0; column < BLOCK; column++) {
            lanes.broadcast(X_LOW.only(), new Address(X, column * Float.BYTES));
            for (int g = 0; g < GROUPS; g++) {
                lanes.addProduct(LOW.at(g), X_LOW.only(), tile(column, g));
            }
        }
        for (int g = 0; g < GROUPS; g++) {
            lanes.store(sums(g), LOW.at(g));
        }
    }

    private void chains() {
        for (int first = 0; first < BLOCK; first += 2 * kind.chain()) {
            twoChains(first, X, 0);
            for (int g = 0; g < GROUPS; g++) {
                lanes.load(FACTOR.only(), group(TileScratch.SUM_FACTORS + first / HALF * ROW_BYTES, g));
                addToSum(g);
            }
        }
    }

    /** Both chains from a column on, and their sum in {@link #LOW}. */
    private void twoChains(int first, Register x, int offset) {
        for (int g = 0; g < GROUPS; g++) {
            lanes.clear(LOW.at(g));
            lanes.clear(HIGH.at(g));
        }
        for (int column = first; column < first + kind.chain(); column++) {
            lanes.broadcast(X_LOW.only(), new Address(x, offset + column * Float.BYTES));
            lanes.broadcast(X_HIGH.only(), new Address(x, offset + (column + kind.chain()) * Float.BYTES));
            for (int g = 0; g < GROUPS; g++) {
                lanes.addProduct(LOW.at(g), X_LOW.only(), tile(column, g));
                lanes.addProduct(HIGH.at(g), X_HIGH.only(), tile(column + kind.chain(), g));
            }
        }
        for (int g = 0; g < GROUPS; g++) {
            lanes.add(LOW.at(g), LOW.at(g), HIGH.at(g));
        }
    }

    /** {@code sum = fma(factor, chains, sum)}. */
    private void addToSum(int group) {
        lanes.load(SUM.only(), sums(group));
        lanes.addProduct(SUM.only(), FACTOR.only(), LOW.at(group));
        lanes.store(sums(group), SUM.only());
    }

    private void quants() {
        for (int i = 0; i < BLOCK * Float.BYTES / VECTOR; i++) {
            code.vector(VPMOVSXBD, X_LOW.only(), new Address(RECORD, i * VECTOR / Float.BYTES));
            lanes.toFloats(X_LOW.only(), X_LOW.only());
            lanes.store(scratch(TileScratch.X_ROW + i * VECTOR), X_LOW.only());
        }
        twoChains(0, SCRATCH, TileScratch.X_ROW);
        lanes.broadcast(SCALE.only(), new Address(RECORD, ActivationRecord.SCALE));
        if (kind == TileKind.INT8_WITH_MINIMA) {
            sumsOfQuants();
        }
        for (int g = 0; g < GROUPS; g++) {
            lanes.multiply(FACTOR.only(), SCALE.only(), group(TileScratch.SUM_FACTORS, g));
            addToSum(g);
            if (kind == TileKind.INT8_WITH_MINIMA) {
                minima(g);
            }
        }
    }

    /** The record has -32 times the sums of both halves. */
    private void sumsOfQuants() {
        lanes.broadcast(FACTOR.only(), scratch(TileScratch.MINUS_32ND));
        for (int half = 0; half < 2; half++) {
            int to = QUANT_SUMS.at(half);
            lanes.broadcast(to, new Address(RECORD, ActivationRecord.CENTRES_OF_SIXES + half * Integer.BYTES));
            lanes.toFloats(to, to);
            lanes.multiply(to, to, FACTOR.only());
        }
    }

    /** {@code sum = fma(m * dx, min0 * n0 + min1 * n1, sum)}; what is in brackets is exact. */
    private void minima(int group) {
        lanes.multiply(MINIMA.only(), QUANT_SUMS.at(0), group(TileScratch.MIN_SCALES, group));
        lanes.addProduct(MINIMA.only(), QUANT_SUMS.at(1), group(TileScratch.MIN_SCALES + ROW_BYTES, group));
        lanes.multiply(FACTOR.only(), SCALE.only(), group(TileScratch.MIN_FACTORS, group));
        lanes.addProduct(SUM.only(), FACTOR.only(), MINIMA.only());
        lanes.store(sums(group), SUM.only());
    }

    private static Address tile(int column, int group) {
        return scratch(TileScratch.TILE + column * ROW_BYTES + group * VECTOR);
    }

    private static Address sums(int group) {
        return new Address(SUMS, group * VECTOR);
    }

    private static Address group(int offset, int group) {
        return scratch(offset + group * VECTOR);
    }

    private static Address scratch(int offset) {
        return new Address(SCRATCH, offset);
    }
}

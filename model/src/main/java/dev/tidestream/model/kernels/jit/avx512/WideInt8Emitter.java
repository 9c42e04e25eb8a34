package dev.tidestream.model.kernels.jit.avx512;

import dev.tidestream.model.kernels.jit.avx2.Int8Emitter;
import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.kernels.jit.base.CallRegisters;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.jit.avx512.WideCode.GROUPS;
import static dev.tidestream.model.kernels.jit.avx512.WideCode.QUADS;
import static dev.tidestream.model.kernels.jit.avx512.WideCode.VECTOR;
import static dev.tidestream.model.kernels.jit.avx512.WideCode.tile;
import static dev.tidestream.model.machine.WideOp.VCVTDQ2PS;
import static dev.tidestream.model.machine.WideOp.VFMADD213PS;
import static dev.tidestream.model.machine.WideOp.VFMADD231PS;
import static dev.tidestream.model.machine.WideOp.VMOVDQA64;
import static dev.tidestream.model.machine.WideOp.VMOVUPS;
import static dev.tidestream.model.machine.WideOp.VMOVUPS_STORE;
import static dev.tidestream.model.machine.WideOp.VMULPS;
import static dev.tidestream.model.machine.WideOp.VPADDD;
import static dev.tidestream.model.machine.WideOp.VPBROADCASTD;
import static dev.tidestream.model.machine.WideOp.VPDPBUSD;
import static dev.tidestream.model.machine.WideOp.VPMULLD;
import static dev.tidestream.model.machine.WideOp.VPXORD;

/**
 * What {@link Int8Emitter} does, with AVX-512: a whole block lies in 16 registers while rows of x are multiplied with it,
 * and {@code VPDPBUSD} multiplies 64 bytes and adds four neighbours to 32 bits. The same integers, and floats rounded as
 * {@link Kernels#multiply} says.
 *
 * <pre>
 * registers   general ones: {@link CallRegisters}
 *             0–7 and 16–31 of {@link WideCode}; 8–11 products of a row of x with the block, 12, 13 free,
 *             14, 15 sums of the only row
 * </pre>
 */
public final class WideInt8Emitter {
    private static final int PRODUCTS = 8;
    private static final int QUANTS = 12;
    private static final int FACTOR = 12;
    private static final int MINIMUM = 13;
    private static final int SUMS = 14;
    /** How far one row reads ahead; measured, see docs/lab/2026-11-28-avx-512-vnni.md. */
    public static final int AHEAD_BYTES = 6144;
    /** The same for many rows. */
    public static final int AHEAD_BYTES_OF_ROWS = 8192;
    private static final int ROW_BYTES = ROWS * Float.BYTES;

    private final Assembler code;
    private final WideCode weights;

    private WideInt8Emitter(Assembler code, WideCode weights) {
        this.code = code;
        this.weights = weights;
    }

    /** A program for one row. */
    public static void writeRow(Assembler code, WideCode weights) {
        new WideInt8Emitter(code, weights).row();
    }

    /** A program for pairs of rows. */
    public static void writeBatch(Assembler code, WideCode weights) {
        new WideInt8Emitter(code, weights).batch();
    }

    private void row() {
        Int8Emitter.panels(code, () -> {
            begin();
            for (int g = 0; g < GROUPS; g++) {
                code.wide(VPXORD, SUMS + g, SUMS + g, SUMS + g);
            }
            blocks(() -> {
                Int8Emitter.ahead(code, weights.units.blockBytes(), AHEAD_BYTES);
                products(0);
                for (int g = 0; g < GROUPS; g++) {
                    scale(0, g);
                    code.wide(VFMADD231PS, SUMS + g, FACTOR, PRODUCTS + g);
                    minima(0, g, SUMS + g);
                }
                code.add(CallRegisters.RECORDS, ActivationRecord.BYTES);
            });
            for (int g = 0; g < GROUPS; g++) {
                code.wide(VMOVUPS_STORE, SUMS + g, new Address(CallRegisters.OUT, g * VECTOR));
            }
        });
    }

    private void batch() {
        Int8Emitter.panels(code, () -> {
            begin();
            Int8Emitter.clearSums(code);
            blocks(() -> {
                Int8Emitter.ahead(code, weights.units.blockBytes(), AHEAD_BYTES_OF_ROWS);
                code.load(CallRegisters.SUMS, WideCode.scratch(KernelScratch.SUMS));
                code.load(CallRegisters.ROWS_LEFT, WideCode.scratch(KernelScratch.PAIR_COUNT));
                Assembler.Label nextPair = code.label("pair");
                rowOfBatch(0);
                rowOfBatch(1);
                code.add(CallRegisters.RECORDS, 2 * ActivationRecord.BYTES);
                code.add(CallRegisters.SUMS, 2 * ROW_BYTES);
                code.add(CallRegisters.ROWS_LEFT, -1);
                code.jumpIfNotZero(nextPair);
            });
            Int8Emitter.eachRow(code, () -> copySums(code));
        });
    }

    /** The sums of a row at r8 to rsi. */
    static void copySums(Assembler code) {
        for (int g = 0; g < GROUPS; g++) {
            code.wide(VMOVUPS, SUMS + g, new Address(CallRegisters.SUMS, g * VECTOR));
            code.wide(VMOVUPS_STORE, SUMS + g, new Address(CallRegisters.OUT, g * VECTOR));
        }
    }

    private void rowOfBatch(int row) {
        int record = row * ActivationRecord.BYTES;
        products(record);
        for (int g = 0; g < GROUPS; g++) {
            Address sum = new Address(CallRegisters.SUMS, row * ROW_BYTES + g * VECTOR);
            scale(record, g);
            code.wide(VFMADD213PS, PRODUCTS + g, FACTOR, sum);
            minima(record, g, PRODUCTS + g);
            code.wide(VMOVUPS_STORE, PRODUCTS + g, sum);
        }
    }

    private void begin() {
        code.load(CallRegisters.RECORDS, WideCode.scratch(KernelScratch.RECORDS));
        code.load(CallRegisters.UNITS_LEFT, WideCode.scratch(KernelScratch.UNITS));
    }

    private void blocks(Runnable body) {
        Int8Emitter.blocks(code, weights.units, weights::header, () -> {
            weights.scales();
            weights.quads();
            body.run();
        });
    }

    /** The integers of a block, factors included, as floats. */
    private void products(int record) {
        clear(record, 0, PRODUCTS);
        if (weights.halves()) {
            clear(record, 1, PRODUCTS + GROUPS);
        }
        for (int quad = 0; quad < QUADS; quad++) {
            int to = weights.halves() && quad >= QUADS / 2 ? PRODUCTS + GROUPS : PRODUCTS;
            code.wide(VPBROADCASTD, QUANTS, record(record + quad * Integer.BYTES));
            for (int g = 0; g < GROUPS; g++) {
                code.wide(VPDPBUSD, to + g, tile(quad, g), QUANTS);
            }
        }
        for (int g = 0; g < GROUPS; g++) {
            int product = PRODUCTS + g;
            if (weights.factors()) {
                code.wide(VPMULLD, product, product, WideCode.FACTORS + g);
            }
            if (weights.halves()) {
                code.wide(VPMULLD, product + GROUPS, product + GROUPS, WideCode.FACTORS_2 + g);
                code.wide(VPADDD, product, product, product + GROUPS);
            }
            code.wide(VCVTDQ2PS, product, product);
        }
    }

    /** What sums begin with. */
    private void clear(int record, int half, int to) {
        if (weights.centre() == 0) {
            for (int g = 0; g < GROUPS; g++) {
                code.wide(VPXORD, to + g, to + g, to + g);
            }
            return;
        }
        code.wide(VPBROADCASTD, to, record(record + weights.centre() + half * Integer.BYTES));
        for (int g = 1; g < GROUPS; g++) {
            code.wide(VMOVDQA64, to + g, to);
        }
    }

    /** {@code d * dx} to {@link #FACTOR}. */
    private void scale(int record, int group) {
        code.wideEach(VMULPS, FACTOR, WideCode.SCALES + group, record(record + ActivationRecord.SCALE));
    }

    private void minima(int record, int group, int sum) {
        if (weights.minima()) {
            code.wideEach(VMULPS, FACTOR, WideCode.MIN_SCALES + group, record(record + ActivationRecord.SCALE));
            code.wideEach(VMULPS, MINIMUM, WideCode.MINIMA + group, record(record + ActivationRecord.MINUS_SUM));
            code.wide(VFMADD231PS, sum, FACTOR, MINIMUM);
        }
    }

    private static Address record(int offset) {
        return new Address(CallRegisters.RECORDS, offset);
    }
}

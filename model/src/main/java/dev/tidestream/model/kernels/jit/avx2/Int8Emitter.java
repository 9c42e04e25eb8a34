package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.kernels.jit.avx2.QuadCode.Products;
import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.kernels.jit.base.CallRegisters;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.PanelUnits;
import dev.tidestream.model.kernels.jit.base.RegisterRange;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.kernels.jit.base.VectorRegisters;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.GROUPS;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.QUADS;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.VECTOR;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.constant;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.scratch;
import static dev.tidestream.model.machine.VectorOp.VBROADCASTSS;
import static dev.tidestream.model.machine.VectorOp.VCVTDQ2PS;
import static dev.tidestream.model.machine.VectorOp.VFMADD231PS;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU_STORE;
import static dev.tidestream.model.machine.VectorOp.VMULPS;
import static dev.tidestream.model.machine.VectorOp.VPABSB;
import static dev.tidestream.model.machine.VectorOp.VPADDD;
import static dev.tidestream.model.machine.VectorOp.VPADDW;
import static dev.tidestream.model.machine.VectorOp.VPBROADCASTD;
import static dev.tidestream.model.machine.VectorOp.VPERM2F128;
import static dev.tidestream.model.machine.VectorOp.VPMADDUBSW;
import static dev.tidestream.model.machine.VectorOp.VPMADDWD;
import static dev.tidestream.model.machine.VectorOp.VPSIGNB;
import static dev.tidestream.model.machine.VectorOp.VPXOR;
import static dev.tidestream.model.machine.VectorOp.VSHUFPS;

/**
 * Writes the programs that multiply a panel with int8 quants: {@code void f(scratch, out, x)}, with {@link KernelScratch} and the
 * array that the sums go to; x is for floats ({@link FloatEmitter}). Products are those of {@code VPMADDUBSW}, 32 at a time,
 * where the Vector API has 16 and needs a second instruction to add them. All integers are exact, and floats are rounded as
 * {@link Kernels#multiply} says.
 *
 * <p>General registers are those of {@link CallRegisters}; vector registers those of {@link #ONE_ROW} and {@link #MANY_ROWS}.
 */
public final class Int8Emitter {
    /** Roles of vector registers in a kernel of one row. */
    private static final VectorRegisters ONE_ROW = VectorRegisters.ymm();
    private static final RegisterRange SUMS = ONE_ROW.take("sums of the row", GROUPS);
    private static final RegisterRange PRODUCTS = ONE_ROW.take("products of a block", GROUPS);
    private static final RegisterRange FREE = ONE_ROW.take("free for the recipe", QuadCode.FREE);
    private static final RegisterRange KEPT = ONE_ROW.take("constant of the recipe", 1);

    /** Roles of vector registers in a kernel of many rows, two at a time, once a block is in the tile. */
    private static final VectorRegisters MANY_ROWS = VectorRegisters.ymm();
    private static final RegisterRange PRODUCTS_OF_TWO = MANY_ROWS.take("products of two rows with a block", 2 * GROUPS);
    private static final RegisterRange QUAD = MANY_ROWS.take("quad of weights, then a sum", 1);
    private static final RegisterRange X = MANY_ROWS.take("four quants of each row, four times", 2);
    private static final RegisterRange PRODUCT = MANY_ROWS.take("product", 1);
    private static final RegisterRange MAGNITUDES = MANY_ROWS.take("magnitudes of the quad", 1);

    /** What a block's products are multiplied with; at that time no quad is in a register, for one row or many. */
    private static final int SCALE = FREE.at(1);
    private static final int CORRECTION = FREE.at(2);
    private static final int FACTOR = FREE.at(3);
    private static final int MINIMUM = FREE.at(4);
    private static final int ROW_BYTES = ROWS * Float.BYTES;
    private static final int LINE_BYTES = 64; // of the cache
    /** How far one row reads ahead; measured, see docs/lab/2026-11-27-avx2-generated-code.md. */
    public static final int AHEAD_BYTES = 1536;
    private static final int SECOND_ROW_HALVES = GROUPS * VECTOR;

    private final Assembler code;
    private final QuadCode quads;

    private Int8Emitter(Assembler code, QuadCode quads) {
        this.code = code;
        this.quads = quads;
    }

    /** A program for one row. */
    public static void writeRow(Assembler code, QuadCode quads) {
        new Int8Emitter(code, quads).row();
    }

    /** A program for pairs of rows. */
    public static void writeBatch(Assembler code, QuadCode quads) {
        new Int8Emitter(code, quads).batch();
    }

    private void row() {
        code.vector(VMOVDQU, KEPT.only(), constant(quads.kept()));
        panels(code, () -> {
            begin();
            clear(SUMS.first());
            rowOfPanel();
            inOrder();
        });
    }

    private void rowOfPanel() {
        blocks(() -> {
            ahead(code, quads.units.blockBytes(), AHEAD_BYTES);
            clear(PRODUCTS.first());
            quads.quads(new Row());
            finish(0, PRODUCTS.first(), 0, (group, factor, product) -> code.vector(VFMADD231PS, SUMS.at(group), factor, product));
            code.add(CallRegisters.RECORDS, ActivationRecord.BYTES);
        });
    }

    /** Multiplies quads with the quants of the only row. */
    private final class Row implements QuadCode.Sink {
        @Override
        public void quad(int quad, int quants) {
            code.vector(VPBROADCASTD, quants, record(quad * Integer.BYTES));
        }

        @Override
        public void take(int quad, int group, int vector, int quants, int t) {
            if (quads.halves() && quad == QUADS / 2 && group == 0) {
                endHalf(PRODUCTS.first(), 0);
                clear(PRODUCTS.first());
            }
            if (quads.products() == Products.UNSIGNED) {
                code.vector(VPMADDUBSW, t, vector, quants);
                add(PRODUCTS.at(group), t);
                return;
            }
            code.vector(VPABSB, t, vector);
            code.vector(VPSIGNB, vector, quants, vector);
            code.vector(VPMADDUBSW, vector, t, vector);
            if (quads.products() == Products.SIGNED_WIDE) {
                code.vector(VPMADDWD, vector, vector, KEPT.only());
            }
            add(PRODUCTS.at(group), vector);
        }
    }

    /** Keeps quads for rows to come. */
    private final class Tile implements QuadCode.Sink {
        @Override
        public void quad(int quad, int quants) {
            // take says it
        }

        @Override
        public void take(int quad, int group, int vector, int quants, int t) {
            code.vector(VMOVDQU_STORE, vector, scratch(KernelScratch.TILE + (quad * GROUPS + group) * VECTOR));
        }
    }

    private void batch() {
        code.vector(VMOVDQU, KEPT.only(), constant(quads.kept()));
        panels(code, () -> {
            begin();
            clearSums(code);
            rowsOfPanel();
            eachRow(code, () -> {
                loadSums(code);
                inOrder();
            });
        });
    }

    private void rowsOfPanel() {
        blocks(() -> {
            quads.quads(new Tile());
            code.load(CallRegisters.SUMS, scratch(KernelScratch.SUMS));
            code.load(CallRegisters.ROWS_LEFT, scratch(KernelScratch.PAIR_COUNT));
            Assembler.Label nextPair = code.label("pair");
            pair();
            code.add(CallRegisters.RECORDS, 2 * ActivationRecord.BYTES);
            code.add(CallRegisters.SUMS, 2 * ROW_BYTES);
            code.add(CallRegisters.ROWS_LEFT, -1);
            code.jumpIfNotZero(nextPair);
        });
    }

    /** A whole program: so many panels, one behind the other. The body advances the panel. */
    public static void panels(Assembler code, Runnable body) {
        code.load(CallRegisters.PANEL, scratch(KernelScratch.PANEL));
        code.add(CallRegisters.OUT, scratch(KernelScratch.OUT_OFFSET));
        Assembler.Label next = code.label("panel");
        code.store(scratch(KernelScratch.OUT), CallRegisters.OUT);
        body.run();
        code.load(CallRegisters.OUT, scratch(KernelScratch.OUT));
        code.add(CallRegisters.OUT, ROW_BYTES);
        code.load(CallRegisters.TEMPORARY, scratch(KernelScratch.PANELS));
        code.add(CallRegisters.TEMPORARY, -1);
        code.store(scratch(KernelScratch.PANELS), CallRegisters.TEMPORARY);
        code.jumpIfNotZero(next);
        code.zeroUpper();
        code.ret();
    }

    /** Runs the body for each row: its sums are at {@link CallRegisters#SUMS} and go to {@link CallRegisters#OUT}. */
    public static void eachRow(Assembler code, Runnable body) {
        code.load(CallRegisters.SUMS, scratch(KernelScratch.SUMS));
        code.load(CallRegisters.ROWS_LEFT, scratch(KernelScratch.ROW_COUNT));
        Assembler.Label next = code.label("row");
        body.run();
        code.add(CallRegisters.SUMS, ROW_BYTES);
        code.add(CallRegisters.OUT, scratch(KernelScratch.OUT_STRIDE));
        code.add(CallRegisters.ROWS_LEFT, -1);
        code.jumpIfNotZero(next);
    }

    /** Loads the sums of a row into {@link #SUMS}. */
    static void loadSums(Assembler code) {
        for (int g = 0; g < GROUPS; g++) {
            code.vector(VMOVDQU, SUMS.at(g), new Address(CallRegisters.SUMS, g * VECTOR));
        }
    }

    /** Two rows of x with the block in the tile. */
    private void pair() {
        boolean first = true;
        for (int quad = 0; quad < QUADS; quad++) {
            if (quads.halves() && quad == QUADS / 2) {
                endHalf(PRODUCTS_OF_TWO.at(0), 0);
                endHalf(PRODUCTS_OF_TWO.at(GROUPS), SECOND_ROW_HALVES);
                first = true;
            }
            code.vector(VPBROADCASTD, X.at(0), record(quad * Integer.BYTES));
            code.vector(VPBROADCASTD, X.at(1), record(ActivationRecord.BYTES + quad * Integer.BYTES));
            for (int g = 0; g < GROUPS; g++) {
                code.vector(VMOVDQU, QUAD.only(), scratch(KernelScratch.TILE + (quad * GROUPS + g) * VECTOR));
                if (quads.products() != Products.UNSIGNED) {
                    code.vector(VPABSB, MAGNITUDES.only(), QUAD.only());
                }
                product(PRODUCTS_OF_TWO.at(g), first, X.at(0));
                product(PRODUCTS_OF_TWO.at(GROUPS + g), first, X.at(1));
            }
            first = false;
        }
        for (int row = 0; row < 2; row++) {
            int sums = row * ROW_BYTES;
            finish(row * ActivationRecord.BYTES, PRODUCTS_OF_TWO.at(row * GROUPS), row * SECOND_ROW_HALVES, (g, d, product) -> {
                Address sum = new Address(CallRegisters.SUMS, sums + g * VECTOR);
                code.vector(VMOVDQU, QUAD.only(), sum);
                code.vector(VFMADD231PS, QUAD.only(), d, product);
                code.vector(VMOVDQU_STORE, QUAD.only(), sum);
            });
        }
    }

    /** Multiplies {@link #QUAD}, whose magnitudes are in {@link #MAGNITUDES}, with the quants of a row. */
    private void product(int sum, boolean first, int quants) {
        int to = first ? sum : PRODUCT.only();
        if (quads.products() == Products.UNSIGNED) {
            code.vector(VPMADDUBSW, to, QUAD.only(), quants);
        } else {
            code.vector(VPSIGNB, PRODUCT.only(), quants, QUAD.only());
            code.vector(VPMADDUBSW, to, MAGNITUDES.only(), PRODUCT.only());
        }
        if (quads.products() == Products.SIGNED_WIDE) {
            code.vector(VPMADDWD, to, to, KEPT.only());
        }
        if (!first) {
            add(sum, PRODUCT.only());
        }
    }

    private void add(int sum, int product) {
        code.vector(quads.products() == Products.SIGNED_WIDE ? VPADDD : VPADDW, sum, sum, product);
    }

    /** Sums of columns 0–15, times their factor, wait in the scratch for those of columns 16–31. */
    private void endHalf(int products, int halves) {
        for (int g = 0; g < GROUPS; g++) {
            code.vector(VPMADDWD, products + g, products + g, scratch(KernelScratch.FACTORS + g * VECTOR));
            code.vector(VMOVDQU_STORE, products + g, scratch(KernelScratch.HALVES + halves + g * VECTOR));
        }
    }

    /** Adds a product to the sum of a group. */
    private interface Sum {
        void add(int group, int factor, int product);
    }

    /** What comes after the integers of a block: {@code sum = fma(d * dx, integer, sum)}, and the minima. */
    private void finish(int record, int products, int halves, Sum sum) {
        code.vector(VBROADCASTSS, SCALE, record(record + ActivationRecord.SCALE));
        if (quads.centred()) {
            code.vector(VPBROADCASTD, CORRECTION, record(record + quads.centre()));
        } else if (quads.minima()) {
            code.vector(VBROADCASTSS, CORRECTION, record(record + ActivationRecord.MINUS_SUM));
        }
        for (int g = 0; g < GROUPS; g++) {
            int product = products + g;
            integer(product, halves, g);
            code.vector(VCVTDQ2PS, product, product);
            code.vector(VMULPS, FACTOR, SCALE, scratch(KernelScratch.SCALES + g * VECTOR));
            sum.add(g, FACTOR, product);
            if (quads.minima()) {
                code.vector(VMULPS, FACTOR, SCALE, scratch(KernelScratch.MIN_SCALES + g * VECTOR));
                code.vector(VMULPS, MINIMUM, CORRECTION, scratch(KernelScratch.MINIMA + g * VECTOR));
                sum.add(g, FACTOR, MINIMUM);
            }
        }
    }

    /** The sums of a block as 32-bit integers, scales of K-quants included. */
    private void integer(int product, int halves, int group) {
        if (quads.halves()) {
            code.vector(VPMADDWD, product, product, scratch(quads.secondFactors() + group * VECTOR));
            code.vector(VPADDD, product, product, scratch(KernelScratch.HALVES + halves + group * VECTOR));
        } else if (quads.minima()) {
            code.vector(VPMADDWD, product, product, scratch(KernelScratch.FACTORS + group * VECTOR));
        } else if (quads.centred()) {
            code.vector(VPMADDWD, product, product, constant(VectorConstant.ONES));
            code.vector(VPADDD, product, product, CORRECTION);
        }
    }

    private void begin() {
        code.load(CallRegisters.RECORDS, scratch(KernelScratch.RECORDS));
        code.load(CallRegisters.UNITS_LEFT, scratch(KernelScratch.UNITS));
    }

    private void blocks(Runnable body) {
        blocks(code, quads.units, quads::header, () -> {
            quads.scales();
            body.run();
        });
    }

    /** All blocks of a panel. */
    public static void blocks(Assembler code, PanelUnits units, Runnable header, Runnable body) {
        Assembler.Label nextUnit = code.label("unit");
        header.run();
        if (units.blocks() > 1) {
            code.add(CallRegisters.PANEL, units.headerBytes());
            code.load(CallRegisters.BLOCKS_LEFT, units.blocks());
        }
        Assembler.Label nextBlock = code.label("block");
        body.run();
        code.add(CallRegisters.PANEL, units.blockBytes());
        if (units.blocks() > 1) {
            code.add(CallRegisters.BLOCKS_LEFT, -1);
            code.jumpIfNotZero(nextBlock);
        }
        code.add(CallRegisters.UNITS_LEFT, -1);
        code.jumpIfNotZero(nextUnit);
    }

    /** Asks for so many bytes that come after a distance. */
    public static void ahead(Assembler code, int bytes, int distance) {
        for (int i = 0; i < bytes; i += LINE_BYTES) {
            code.prefetch(QuadCode.panel(distance + i));
        }
    }

    /** Sums of all pairs of rows begin with 0. */
    public static void clearSums(Assembler code) {
        code.vector(VPXOR, SUMS.first(), SUMS.first(), SUMS.first());
        code.load(CallRegisters.SUMS, scratch(KernelScratch.SUMS));
        code.load(CallRegisters.ROWS_LEFT, scratch(KernelScratch.PAIR_COUNT));
        Assembler.Label next = code.label("clear");
        for (int i = 0; i < 2 * GROUPS; i++) {
            code.vector(VMOVDQU_STORE, SUMS.first(), new Address(CallRegisters.SUMS, i * VECTOR));
        }
        code.add(CallRegisters.SUMS, 2 * ROW_BYTES);
        code.add(CallRegisters.ROWS_LEFT, -1);
        code.jumpIfNotZero(next);
    }

    private void clear(int from) {
        for (int g = 0; g < GROUPS; g++) {
            code.vector(VPXOR, from + g, from + g, from + g);
        }
    }

    /** Writes {@link #SUMS} to out, row by row. */
    private void inOrder() {
        int[] order = quads.rowsInOrder() ? new int[] {SUMS.at(0), SUMS.at(1), SUMS.at(2), SUMS.at(3)} : shuffled();
        for (int i = 0; i < GROUPS; i++) {
            code.vector(VMOVDQU_STORE, order[i], new Address(CallRegisters.OUT, i * VECTOR));
        }
    }

    private int[] shuffled() {
        code.vector(VSHUFPS, 4, 0, 1, 0x88);
        code.vector(VSHUFPS, 5, 0, 1, 0xDD);
        code.vector(VSHUFPS, 6, 2, 3, 0x88);
        code.vector(VSHUFPS, 7, 2, 3, 0xDD);
        if (!quads.byteLines()) {
            return new int[] {4, 6, 5, 7};
        }
        code.vector(VPERM2F128, 0, 4, 6, 0x20);
        code.vector(VPERM2F128, 1, 4, 6, 0x31);
        code.vector(VPERM2F128, 2, 5, 7, 0x20);
        code.vector(VPERM2F128, 3, 5, 7, 0x31);
        return new int[] {0, 1, 2, 3};
    }

    private static Address record(int offset) {
        return new Address(CallRegisters.RECORDS, offset);
    }
}

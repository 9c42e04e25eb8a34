package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.kernels.jit.avx2.QuadCode.Products;
import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.kernels.jit.base.MachineConstant;
import dev.tidestream.model.kernels.jit.base.MachineScratch;
import dev.tidestream.model.kernels.jit.base.PanelUnits;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
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
 * Writes the programs that multiply a panel with int8 codes: {@code void f(scratch, out, x)}, with {@link MachineScratch} and the
 * array that the sums go to; x is for floats ({@link FloatWriter}). Products are those of {@code VPMADDUBSW}, 32 at a time, where
 * the Vector API has 16 and needs a second instruction to add them. All integers are exact, and floats are rounded as
 * {@link Kernels#multiply} says.
 *
 * <pre>
 * registers   rdi scratch, rsi out, rdx panel, rcx records of x, r8 sums, r9 blocks and r10 units to go, r11 pairs to go
 * one row     0–3 sums of the row, 4–7 products of a block, 8–14 whatever is at hand, 15 a constant
 * many rows   0–3 and 4–7 products of two rows of x with a block, 8–14 whatever is at hand, 15 a constant
 * </pre>
 */
public final class MachineWriter {
    private static final int SUMS = 0;
    private static final int PRODUCTS = 4;
    private static final int ROW_BYTES = ROWS * Float.BYTES;
    private static final int LINE_BYTES = 64; // of the cache
    /** How far one row reads ahead; measured, see docs/lab/2026-11-27-avx2-generated-code.md. */
    public static final int AHEAD_BYTES = 1536;
    private static final int SECOND_ROW_HALVES = GROUPS * VECTOR;

    private final Assembler code;
    private final QuadCode quads;

    private MachineWriter(Assembler code, QuadCode quads) {
        this.code = code;
        this.quads = quads;
    }

    /** A program for one row. */
    public static void writeRow(Assembler code, QuadCode quads) {
        new MachineWriter(code, quads).row();
    }

    /** A program for pairs of rows. */
    public static void writeBatch(Assembler code, QuadCode quads) {
        new MachineWriter(code, quads).batch();
    }

    private void row() {
        code.vector(VMOVDQU, QuadCode.KEPT, constant(quads.kept()));
        panels(code, () -> {
            begin();
            clear(SUMS);
            rowOfPanel();
            inOrder();
        });
    }

    private void rowOfPanel() {
        blocks(() -> {
            ahead(code, quads.units.blockBytes(), AHEAD_BYTES);
            clear(PRODUCTS);
            quads.quads(new Row());
            finish(0, PRODUCTS, 0, (group, factor, product) -> code.vector(VFMADD231PS, SUMS + group, factor, product));
            code.add(Register.RCX, ActivationRecord.BYTES);
        });
    }

    /** Multiplies quads with the codes of the only row. */
    private final class Row implements QuadCode.Sink {
        @Override
        public void quad(int quad, int codes) {
            code.vector(VPBROADCASTD, codes, record(quad * Integer.BYTES));
        }

        @Override
        public void take(int quad, int group, int vector, int codes, int t) {
            if (quads.halves() && quad == QUADS / 2 && group == 0) {
                endHalf(PRODUCTS, 0);
                clear(PRODUCTS);
            }
            if (quads.products() == Products.UNSIGNED) {
                code.vector(VPMADDUBSW, t, vector, codes);
                add(PRODUCTS + group, t);
                return;
            }
            code.vector(VPABSB, t, vector);
            code.vector(VPSIGNB, vector, codes, vector);
            code.vector(VPMADDUBSW, vector, t, vector);
            if (quads.products() == Products.SIGNED_WIDE) {
                code.vector(VPMADDWD, vector, vector, QuadCode.KEPT);
            }
            add(PRODUCTS + group, vector);
        }
    }

    /** Keeps quads for rows to come. */
    private final class Tile implements QuadCode.Sink {
        @Override
        public void quad(int quad, int codes) {
            // take says it
        }

        @Override
        public void take(int quad, int group, int vector, int codes, int t) {
            code.vector(VMOVDQU_STORE, vector, scratch(MachineScratch.TILE + (quad * GROUPS + group) * VECTOR));
        }
    }

    private void batch() {
        code.vector(VMOVDQU, QuadCode.KEPT, constant(quads.kept()));
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
            code.load(Register.R8, scratch(MachineScratch.SUMS));
            code.load(Register.R11, scratch(MachineScratch.PAIR_COUNT));
            Assembler.Label nextPair = code.label();
            pair();
            code.add(Register.RCX, 2 * ActivationRecord.BYTES);
            code.add(Register.R8, 2 * ROW_BYTES);
            code.add(Register.R11, -1);
            code.jumpIfNotZero(nextPair);
        });
    }

    /** A whole program: so many panels, one behind the other. The body advances the panel. */
    public static void panels(Assembler code, Runnable body) {
        code.load(Register.RDX, scratch(MachineScratch.PANEL));
        code.add(Register.RSI, scratch(MachineScratch.OUT_OFFSET));
        Assembler.Label next = code.label();
        code.store(scratch(MachineScratch.OUT), Register.RSI);
        body.run();
        code.load(Register.RSI, scratch(MachineScratch.OUT));
        code.add(Register.RSI, ROW_BYTES);
        code.load(Register.RAX, scratch(MachineScratch.PANELS));
        code.add(Register.RAX, -1);
        code.store(scratch(MachineScratch.PANELS), Register.RAX);
        code.jumpIfNotZero(next);
        code.zeroUpper();
        code.ret();
    }

    /** With the sums of each row at r8 and the place where they go at rsi. */
    public static void eachRow(Assembler code, Runnable body) {
        code.load(Register.R8, scratch(MachineScratch.SUMS));
        code.load(Register.R11, scratch(MachineScratch.ROW_COUNT));
        Assembler.Label next = code.label();
        body.run();
        code.add(Register.R8, ROW_BYTES);
        code.add(Register.RSI, scratch(MachineScratch.OUT_STRIDE));
        code.add(Register.R11, -1);
        code.jumpIfNotZero(next);
    }

    /** The sums of a row to 0–3. */
    static void loadSums(Assembler code) {
        for (int g = 0; g < GROUPS; g++) {
            code.vector(VMOVDQU, SUMS + g, new Address(Register.R8, g * VECTOR));
        }
    }

    /** Two rows of x with the block in the tile. */
    private void pair() {
        boolean first = true;
        for (int quad = 0; quad < QUADS; quad++) {
            if (quads.halves() && quad == QUADS / 2) {
                endHalf(PRODUCTS - GROUPS, 0);
                endHalf(PRODUCTS, SECOND_ROW_HALVES);
                first = true;
            }
            code.vector(VPBROADCASTD, 9, record(quad * Integer.BYTES));
            code.vector(VPBROADCASTD, 10, record(ActivationRecord.BYTES + quad * Integer.BYTES));
            for (int g = 0; g < GROUPS; g++) {
                code.vector(VMOVDQU, 8, scratch(MachineScratch.TILE + (quad * GROUPS + g) * VECTOR));
                if (quads.products() != Products.UNSIGNED) {
                    code.vector(VPABSB, 12, 8);
                }
                product(g, first, 9);
                product(GROUPS + g, first, 10);
            }
            first = false;
        }
        for (int row = 0; row < 2; row++) {
            int sums = row * ROW_BYTES;
            finish(row * ActivationRecord.BYTES, row * GROUPS, row * SECOND_ROW_HALVES, (group, factor, product) -> {
                Address sum = new Address(Register.R8, sums + group * VECTOR);
                code.vector(VMOVDQU, 8, sum);
                code.vector(VFMADD231PS, 8, factor, product);
                code.vector(VMOVDQU_STORE, 8, sum);
            });
        }
    }

    /** The quad in 8, its magnitudes in 12, by the codes of a row. */
    private void product(int sum, boolean first, int codes) {
        int to = first ? sum : 11;
        if (quads.products() == Products.UNSIGNED) {
            code.vector(VPMADDUBSW, to, 8, codes);
        } else {
            code.vector(VPSIGNB, 11, codes, 8);
            code.vector(VPMADDUBSW, to, 12, 11);
        }
        if (quads.products() == Products.SIGNED_WIDE) {
            code.vector(VPMADDWD, to, to, QuadCode.KEPT);
        }
        if (!first) {
            add(sum, 11);
        }
    }

    private void add(int sum, int product) {
        code.vector(quads.products() == Products.SIGNED_WIDE ? VPADDD : VPADDW, sum, sum, product);
    }

    /** Sums of columns 0–15, times their factor, wait in the scratch for those of columns 16–31. */
    private void endHalf(int products, int halves) {
        for (int g = 0; g < GROUPS; g++) {
            code.vector(VPMADDWD, products + g, products + g, scratch(MachineScratch.FACTORS + g * VECTOR));
            code.vector(VMOVDQU_STORE, products + g, scratch(MachineScratch.HALVES + halves + g * VECTOR));
        }
    }

    /** Adds a product to the sum of a group. */
    private interface Sum {
        void add(int group, int factor, int product);
    }

    /** What comes after the integers of a block: {@code sum = fma(d * dx, integer, sum)}, and the minima. */
    private void finish(int record, int products, int halves, Sum sum) {
        code.vector(VBROADCASTSS, 9, record(record + ActivationRecord.SCALE));
        if (quads.centred()) {
            code.vector(VPBROADCASTD, 10, record(record + quads.centre()));
        } else if (quads.minima()) {
            code.vector(VBROADCASTSS, 10, record(record + ActivationRecord.MINUS_SUM));
        }
        for (int g = 0; g < GROUPS; g++) {
            int product = products + g;
            integer(product, halves, g);
            code.vector(VCVTDQ2PS, product, product);
            code.vector(VMULPS, 11, 9, scratch(MachineScratch.SCALES + g * VECTOR));
            sum.add(g, 11, product);
            if (quads.minima()) {
                code.vector(VMULPS, 11, 9, scratch(MachineScratch.MIN_SCALES + g * VECTOR));
                code.vector(VMULPS, 12, 10, scratch(MachineScratch.MINIMA + g * VECTOR));
                sum.add(g, 11, 12);
            }
        }
    }

    /** The sums of a block as 32-bit integers, scales of K-quants included. */
    private void integer(int product, int halves, int group) {
        if (quads.halves()) {
            code.vector(VPMADDWD, product, product, scratch(quads.secondFactors() + group * VECTOR));
            code.vector(VPADDD, product, product, scratch(MachineScratch.HALVES + halves + group * VECTOR));
        } else if (quads.minima()) {
            code.vector(VPMADDWD, product, product, scratch(MachineScratch.FACTORS + group * VECTOR));
        } else if (quads.centred()) {
            code.vector(VPMADDWD, product, product, constant(MachineConstant.ONES));
            code.vector(VPADDD, product, product, 10);
        }
    }

    private void begin() {
        code.load(Register.RCX, scratch(MachineScratch.RECORDS));
        code.load(Register.R10, scratch(MachineScratch.UNITS));
    }

    private void blocks(Runnable body) {
        blocks(code, quads.units, quads::header, () -> {
            quads.scales();
            body.run();
        });
    }

    /** All blocks of a panel. */
    public static void blocks(Assembler code, PanelUnits units, Runnable header, Runnable body) {
        Assembler.Label nextUnit = code.label();
        header.run();
        if (units.blocks() > 1) {
            code.add(Register.RDX, units.headerBytes());
            code.load(Register.R9, units.blocks());
        }
        Assembler.Label nextBlock = code.label();
        body.run();
        code.add(Register.RDX, units.blockBytes());
        if (units.blocks() > 1) {
            code.add(Register.R9, -1);
            code.jumpIfNotZero(nextBlock);
        }
        code.add(Register.R10, -1);
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
        code.vector(VPXOR, SUMS, SUMS, SUMS);
        code.load(Register.R8, scratch(MachineScratch.SUMS));
        code.load(Register.R11, scratch(MachineScratch.PAIR_COUNT));
        Assembler.Label next = code.label();
        for (int i = 0; i < 2 * GROUPS; i++) {
            code.vector(VMOVDQU_STORE, SUMS, new Address(Register.R8, i * VECTOR));
        }
        code.add(Register.R8, 2 * ROW_BYTES);
        code.add(Register.R11, -1);
        code.jumpIfNotZero(next);
    }

    private void clear(int from) {
        for (int g = 0; g < GROUPS; g++) {
            code.vector(VPXOR, from + g, from + g, from + g);
        }
    }

    /** Writes the sums in 0–3 to out, row by row. */
    private void inOrder() {
        if (quads.rowsInOrder()) {
            for (int g = 0; g < GROUPS; g++) {
                code.vector(VMOVDQU_STORE, SUMS + g, new Address(Register.RSI, g * VECTOR));
            }
            return;
        }
        code.vector(VSHUFPS, 4, 0, 1, 0x88);
        code.vector(VSHUFPS, 5, 0, 1, 0xDD);
        code.vector(VSHUFPS, 6, 2, 3, 0x88);
        code.vector(VSHUFPS, 7, 2, 3, 0xDD);
        if (quads.byteLines()) {
            code.vector(VPERM2F128, 0, 4, 6, 0x20);
            code.vector(VPERM2F128, 1, 4, 6, 0x31);
            code.vector(VPERM2F128, 2, 5, 7, 0x20);
            code.vector(VPERM2F128, 3, 5, 7, 0x31);
        }
        int[] order = quads.byteLines() ? new int[] {0, 1, 2, 3} : new int[] {4, 6, 5, 7};
        for (int i = 0; i < GROUPS; i++) {
            code.vector(VMOVDQU_STORE, order[i], new Address(Register.RSI, i * VECTOR));
        }
    }

    private static Address record(int offset) {
        return new Address(Register.RCX, offset);
    }
}

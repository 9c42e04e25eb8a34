package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.GROUPS;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.VECTOR;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.scratch;
import static dev.tidestream.model.machine.VectorOp.VADDPS;
import static dev.tidestream.model.machine.VectorOp.VBROADCASTSS;
import static dev.tidestream.model.machine.VectorOp.VFMADD231PS;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU_STORE;
import static dev.tidestream.model.machine.VectorOp.VPXOR;

/**
 * Writes the programs that multiply a panel with floats, {@code void f(scratch, out, x)}, in the order of {@link Kernels#multiply}:
 * chains a and b, then {@code sum = fma(factor, a + b, sum)}. One row is unpacked and multiplied at once; for pairs of rows a
 * block of floats stays in the first-level cache.
 *
 * <pre>
 * registers   rdi scratch, rsi out, rdx panel, rcx and rax rows of x, r8 sums, r9 blocks and r10 units to go, r11 pairs to go
 * one row     0–3 constants, 4–7 chain a, 8–11 chain b, 12 what they are multiplied with, 13–15 free
 * pairs       0–3 and 4–7 chains of two rows, 8–15 free
 * </pre>
 */
public final class FloatEmitter {
    private static final int A = 4;
    private static final int B = 8;
    private static final int X = 12;
    private static final int BLOCK_BYTES_OF_X = BLOCK * Float.BYTES;
    private static final int ROW_BYTES = ROWS * Float.BYTES;

    private final Assembler code;
    private final FloatCode weights;

    private FloatEmitter(Assembler code, FloatCode weights) {
        this.code = code;
        this.weights = weights;
    }

    /** A program for one row. */
    public static void writeRow(Assembler code, FloatCode weights) {
        new FloatEmitter(code, weights).row();
    }

    /** A program for an even number of rows. */
    public static void writeBatch(Assembler code, FloatCode weights) {
        new FloatEmitter(code, weights).batch();
    }

    private void row() {
        code.store(scratch(KernelScratch.FIRST_VALUES), Register.RDX);
        Int8Emitter.panels(code, () -> {
            code.load(Register.RCX, scratch(KernelScratch.FIRST_VALUES));
            code.load(Register.R10, scratch(KernelScratch.UNITS));
            clear(0, 1);
            for (int g = 0; g < GROUPS; g++) {
                code.vector(VMOVDQU_STORE, 0, sum(g));
            }
            constants();
            rowOfPanel();
            for (int g = 0; g < GROUPS; g++) {
                code.vector(VMOVDQU, g, sum(g));
            }
            inOrder();
        });
    }

    private void rowOfPanel() {
        blocks(() -> {
            Int8Emitter.ahead(code, weights.units.blockBytes(), Int8Emitter.AHEAD_BYTES);
            for (int pair = 0; pair < weights.pairs(); pair++) {
                clear(A, 2 * GROUPS);
                weights.columns(pair, new Chains());
                for (int g = 0; g < GROUPS; g++) {
                    weights.factor(pair, g);
                    code.vector(VADDPS, A + g, A + g, B + g);
                    code.vector(VMOVDQU, X, sum(g));
                    code.vector(VFMADD231PS, X, 14, A + g);
                    code.vector(VMOVDQU_STORE, X, sum(g));
                }
            }
            code.add(Register.RCX, BLOCK_BYTES_OF_X);
        });
    }

    private void constants() {
        int register = 0;
        for (VectorConstant constant : weights.constants()) {
            code.vector(VMOVDQU, register++, QuadCode.constant(constant));
        }
    }

    private void blocks(Runnable body) {
        Int8Emitter.blocks(code, weights.units, weights::header, body);
    }

    /** The only row's sums of a group. */
    private static Address sum(int group) {
        return scratch(KernelScratch.ROW_SUMS + group * VECTOR);
    }

    /** Multiplies what it receives with one row of x. */
    private final class Chains implements FloatCode.Sink {
        @Override
        public void column(int chain, int column) {
            code.vector(VBROADCASTSS, X, new Address(Register.RCX, column * Float.BYTES));
        }

        @Override
        public void take(int chain, int column, int group, int floats) {
            code.vector(VFMADD231PS, (chain == 0 ? A : B) + group, X, floats);
        }
    }

    /** Keeps what it receives. */
    private final class Tile implements FloatCode.Sink {
        @Override
        public void column(int chain, int column) {
            // known from take
        }

        @Override
        public void take(int chain, int column, int group, int floats) {
            code.vector(VMOVDQU_STORE, floats, tile(column, group));
        }
    }

    private void batch() {
        code.store(scratch(KernelScratch.FIRST_VALUES), Register.RDX);
        Int8Emitter.panels(code, () -> {
            code.load(Register.RAX, scratch(KernelScratch.FIRST_VALUES));
            code.store(scratch(KernelScratch.VALUES), Register.RAX);
            code.load(Register.R10, scratch(KernelScratch.UNITS));
            Int8Emitter.clearSums(code);
            rowsOfPanel();
            Int8Emitter.eachRow(code, () -> {
                Int8Emitter.loadSums(code);
                inOrder();
            });
        });
    }

    private void rowsOfPanel() {
        blocks(() -> {
            constants();
            for (int pair = 0; pair < weights.pairs(); pair++) {
                weights.columns(pair, new Tile());
                for (int g = 0; g < GROUPS; g++) {
                    weights.factor(pair, g);
                    code.vector(VMOVDQU_STORE, 14, factor(pair, g));
                }
            }
            eachPair(code, this::rows);
        });
    }

    /** With two rows of floats at rax and rcx, their sums at r8; then the rows go on to their next block. */
    private static void eachPair(Assembler code, Runnable body) {
        code.load(Register.R8, scratch(KernelScratch.SUMS));
        code.load(Register.R11, scratch(KernelScratch.PAIR_COUNT));
        code.load(Register.RAX, scratch(KernelScratch.VALUES));
        Assembler.Label next = code.label("rows");
        code.move(Register.RCX, Register.RAX);
        code.add(Register.RCX, scratch(KernelScratch.VALUES_STRIDE));
        body.run();
        code.move(Register.RAX, Register.RCX);
        code.add(Register.RAX, scratch(KernelScratch.VALUES_STRIDE));
        code.add(Register.R8, 2 * ROW_BYTES);
        code.add(Register.R11, -1);
        code.jumpIfNotZero(next);
        code.load(Register.RAX, scratch(KernelScratch.VALUES));
        code.add(Register.RAX, BLOCK_BYTES_OF_X);
        code.store(scratch(KernelScratch.VALUES), Register.RAX);
    }

    /** Two rows of x with the block in the tile. */
    private void rows() {
        int columns = BLOCK / weights.pairs() / 2; // of a chain
        for (int pair = 0; pair < weights.pairs(); pair++) {
            for (int chain = 0; chain < 2; chain++) {
                clear(0, 2 * GROUPS);
                for (int i = 0; i < columns; i++) {
                    int column = (2 * pair + chain) * columns + i;
                    code.vector(VBROADCASTSS, 8, new Address(Register.RAX, column * Float.BYTES));
                    code.vector(VBROADCASTSS, 9, new Address(Register.RCX, column * Float.BYTES));
                    for (int g = 0; g < GROUPS; g++) {
                        code.vector(VMOVDQU, 10 + g, tile(column, g));
                        code.vector(VFMADD231PS, g, 8, 10 + g);
                        code.vector(VFMADD231PS, GROUPS + g, 9, 10 + g);
                    }
                }
                if (chain == 0) {
                    for (int i = 0; i < 2 * GROUPS; i++) {
                        code.vector(VMOVDQU_STORE, i, scratch(KernelScratch.HALVES + i * VECTOR));
                    }
                }
            }
            for (int i = 0; i < 2 * GROUPS; i++) {
                Address sum = new Address(Register.R8, i * VECTOR);
                code.vector(VADDPS, i, i, scratch(KernelScratch.HALVES + i * VECTOR));
                code.vector(VMOVDQU, 14, sum);
                code.vector(VFMADD231PS, 14, i, factor(pair, i % GROUPS));
                code.vector(VMOVDQU_STORE, 14, sum);
            }
        }
    }

    private static Address tile(int column, int group) {
        return scratch(KernelScratch.FLOAT_TILE + (column * GROUPS + group) * VECTOR);
    }

    private static Address factor(int pair, int group) {
        return scratch((pair == 0 ? KernelScratch.FACTORS : KernelScratch.FACTORS_2) + group * VECTOR);
    }

    private void clear(int from, int count) {
        for (int i = from; i < from + count; i++) {
            code.vector(VPXOR, i, i, i);
        }
    }

    /** Writes the sums in 0–3 to out, row by row. */
    private void inOrder() {
        int offset = 0;
        for (int rows : weights.inOrder()) {
            code.vector(VMOVDQU_STORE, rows, new Address(Register.RSI, offset));
            offset += VECTOR;
        }
    }
}

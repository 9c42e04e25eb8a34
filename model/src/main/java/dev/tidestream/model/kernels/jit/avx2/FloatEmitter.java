package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.kernels.jit.base.CallRegisters;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.RegisterRange;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.kernels.jit.base.VectorRegisters;
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
 * Writes the programs that multiply a panel with floats, {@code void f(scratch, out, x)}, in the order of
 * {@link Kernels#multiply}: chains a and b, then {@code sum = fma(factor, a + b, sum)}. One row is unpacked and multiplied at
 * once; for pairs of rows a block of floats stays in the first-level cache.
 *
 * <p>General registers are those of {@link CallRegisters}, and two for rows of x; vector registers those of {@link FloatCode} for
 * one row, and of {@link #TWO_ROWS} once a block is in the tile.
 */
public final class FloatEmitter {
    /** The row of x; of two, the second one. */
    private static final Register ROW = Register.RCX;
    private static final Register FIRST_ROW = Register.RAX;

    private static final VectorRegisters TWO_ROWS = VectorRegisters.ymm();
    private static final RegisterRange CHAINS_OF_TWO = TWO_ROWS.take("chains of two rows", 2 * GROUPS);
    private static final RegisterRange X_OF_TWO = TWO_ROWS.take("elements of two rows", 2);
    private static final RegisterRange WEIGHTS = TWO_ROWS.take("weights of a column", GROUPS);
    private static final RegisterRange SUM = TWO_ROWS.take("sums of a group", 1);

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
        code.store(scratch(KernelScratch.FIRST_VALUES), CallRegisters.PANEL);
        Int8Emitter.panels(code, () -> {
            code.load(ROW, scratch(KernelScratch.FIRST_VALUES));
            code.load(CallRegisters.UNITS_LEFT, scratch(KernelScratch.UNITS));
            clear(FloatCode.SUMS.first(), 1);
            for (int g = 0; g < GROUPS; g++) {
                code.vector(VMOVDQU_STORE, FloatCode.SUMS.first(), sum(g));
            }
            constants();
            rowOfPanel();
            for (int g = 0; g < GROUPS; g++) {
                code.vector(VMOVDQU, FloatCode.SUMS.at(g), sum(g));
            }
            inOrder();
        });
    }

    private void rowOfPanel() {
        blocks(() -> {
            Int8Emitter.ahead(code, weights.units.blockBytes(), Int8Emitter.AHEAD_BYTES);
            for (int pair = 0; pair < weights.pairs(); pair++) {
                clear(FloatCode.A.first(), 2 * GROUPS);
                weights.columns(pair, new Chains());
                for (int g = 0; g < GROUPS; g++) {
                    weights.factor(pair, g);
                    code.vector(VADDPS, FloatCode.A.at(g), FloatCode.A.at(g), FloatCode.B.at(g));
                    code.vector(VMOVDQU, FloatCode.X.only(), sum(g));
                    code.vector(VFMADD231PS, FloatCode.X.only(), FloatCode.FACTOR, FloatCode.A.at(g));
                    code.vector(VMOVDQU_STORE, FloatCode.X.only(), sum(g));
                }
            }
            code.add(ROW, BLOCK_BYTES_OF_X);
        });
    }

    private void constants() {
        int i = 0;
        for (VectorConstant constant : weights.constants()) {
            code.vector(VMOVDQU, FloatCode.CONSTANTS.at(i++), QuadCode.constant(constant));
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
            code.vector(VBROADCASTSS, FloatCode.X.only(), new Address(ROW, column * Float.BYTES));
        }

        @Override
        public void take(int chain, int column, int group, int floats) {
            code.vector(VFMADD231PS, (chain == 0 ? FloatCode.A : FloatCode.B).at(group), FloatCode.X.only(), floats);
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
        code.store(scratch(KernelScratch.FIRST_VALUES), CallRegisters.PANEL);
        Int8Emitter.panels(code, () -> {
            code.load(CallRegisters.TEMPORARY, scratch(KernelScratch.FIRST_VALUES));
            code.store(scratch(KernelScratch.VALUES), CallRegisters.TEMPORARY);
            code.load(CallRegisters.UNITS_LEFT, scratch(KernelScratch.UNITS));
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
                    code.vector(VMOVDQU_STORE, FloatCode.FACTOR, factor(pair, g));
                }
            }
            eachPair(code, this::rows);
        });
    }

    /** With two rows of floats, and their sums at {@link CallRegisters#SUMS}; then the rows go on to their next block. */
    private static void eachPair(Assembler code, Runnable body) {
        code.load(CallRegisters.SUMS, scratch(KernelScratch.SUMS));
        code.load(CallRegisters.ROWS_LEFT, scratch(KernelScratch.PAIR_COUNT));
        code.load(FIRST_ROW, scratch(KernelScratch.VALUES));
        Assembler.Label next = code.label("rows");
        code.move(ROW, FIRST_ROW);
        code.add(ROW, scratch(KernelScratch.VALUES_STRIDE));
        body.run();
        code.move(FIRST_ROW, ROW);
        code.add(FIRST_ROW, scratch(KernelScratch.VALUES_STRIDE));
        code.add(CallRegisters.SUMS, 2 * ROW_BYTES);
        code.add(CallRegisters.ROWS_LEFT, -1);
        code.jumpIfNotZero(next);
        code.load(CallRegisters.TEMPORARY, scratch(KernelScratch.VALUES));
        code.add(CallRegisters.TEMPORARY, BLOCK_BYTES_OF_X);
        code.store(scratch(KernelScratch.VALUES), CallRegisters.TEMPORARY);
    }

    /** Two rows of x with the block in the tile. */
    private void rows() {
        int columns = BLOCK / weights.pairs() / 2; // of a chain
        for (int pair = 0; pair < weights.pairs(); pair++) {
            for (int chain = 0; chain < 2; chain++) {
                clear(CHAINS_OF_TWO.first(), 2 * GROUPS);
                for (int i = 0; i < columns; i++) {
                    int column = (2 * pair + chain) * columns + i;
                    code.vector(VBROADCASTSS, X_OF_TWO.at(0), new Address(FIRST_ROW, column * Float.BYTES));
                    code.vector(VBROADCASTSS, X_OF_TWO.at(1), new Address(ROW, column * Float.BYTES));
                    for (int g = 0; g < GROUPS; g++) {
                        code.vector(VMOVDQU, WEIGHTS.at(g), tile(column, g));
                        code.vector(VFMADD231PS, CHAINS_OF_TWO.at(g), X_OF_TWO.at(0), WEIGHTS.at(g));
                        code.vector(VFMADD231PS, CHAINS_OF_TWO.at(GROUPS + g), X_OF_TWO.at(1), WEIGHTS.at(g));
                    }
                }
                if (chain == 0) {
                    for (int i = 0; i < 2 * GROUPS; i++) {
                        code.vector(VMOVDQU_STORE, CHAINS_OF_TWO.at(i), scratch(KernelScratch.HALVES + i * VECTOR));
                    }
                }
            }
            for (int i = 0; i < 2 * GROUPS; i++) {
                int chains = CHAINS_OF_TWO.at(i);
                Address sum = new Address(CallRegisters.SUMS, i * VECTOR);
                code.vector(VADDPS, chains, chains, scratch(KernelScratch.HALVES + i * VECTOR));
                code.vector(VMOVDQU, SUM.only(), sum);
                code.vector(VFMADD231PS, SUM.only(), chains, factor(pair, i % GROUPS));
                code.vector(VMOVDQU_STORE, SUM.only(), sum);
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

    /** Writes {@link FloatCode#SUMS} to out, row by row. */
    private void inOrder() {
        int offset = 0;
        for (int rows : weights.inOrder()) {
            code.vector(VMOVDQU_STORE, rows, new Address(CallRegisters.OUT, offset));
            offset += VECTOR;
        }
    }
}

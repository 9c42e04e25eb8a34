package dev.tidestream.model.kernels.jit.avx512;

import java.util.List;

import dev.tidestream.model.kernels.jit.avx2.Int8Emitter;
import dev.tidestream.model.kernels.jit.base.CallRegisters;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.RegisterRange;
import dev.tidestream.model.kernels.jit.base.VectorRegisters;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.jit.avx512.WideCode.GROUPS;
import static dev.tidestream.model.kernels.jit.avx512.WideCode.QUADS;
import static dev.tidestream.model.kernels.jit.avx512.WideCode.VECTOR;
import static dev.tidestream.model.kernels.jit.avx512.WideCode.scratch;
import static dev.tidestream.model.machine.WideOp.VADDPS;
import static dev.tidestream.model.machine.WideOp.VFMADD213PS;
import static dev.tidestream.model.machine.WideOp.VFMADD231PS;
import static dev.tidestream.model.machine.WideOp.VMOVUPS;
import static dev.tidestream.model.machine.WideOp.VMOVUPS_STORE;
import static dev.tidestream.model.machine.WideOp.VPXORD;

/**
 * What {@code FloatEmitter} does, with AVX-512.
 *
 * <p>General registers are those of {@link CallRegisters}, but for those of {@link #FOUR_ROWS} while four rows are multiplied, or
 * {@link #ROW}. Vector registers are those of {@link #ONE_ROW} and {@link #MANY_ROWS}, the others those of {@link WideCode}.
 */
public final class WideFloatEmitter {
    private static final int FOUR = 4;
    private static final Register ROW = Register.RCX;

    private static final VectorRegisters ONE_ROW = VectorRegisters.zmm().without("scales of the recipe", 8);
    private static final int CHAINS = ONE_ROW.take("chains a and b", 2 * GROUPS).first();
    private static final int FLOATS = ONE_ROW.take("weights of a column", 1).only();
    private static final int FACTOR = ONE_ROW.take("what a sum is multiplied with", 1).only();

    private static final VectorRegisters MANY_ROWS = VectorRegisters.zmm().without("scales of the recipe", 4);
    private static final RegisterRange FOUR_CHAINS = MANY_ROWS.take("chains of four rows", FOUR * GROUPS);
    private static final RegisterRange FLOATS_OF_FOUR = MANY_ROWS.take("weights of a column, then factors", GROUPS);

    private static final List<Register> FOUR_ROWS = List.of(Register.RAX, Register.RCX, Register.RSI, Register.R10);
    private static final int BLOCK_BYTES_OF_X = BLOCK * Float.BYTES;
    private static final int ROW_BYTES = ROWS * Float.BYTES;
    private static final int QUAD = 4; // columns

    private final Assembler code;
    private final WideCode weights;

    private WideFloatEmitter(Assembler code, WideCode weights) {
        this.code = code;
        this.weights = weights;
    }

    /** A program for one row. */
    public static void writeRow(Assembler code, WideCode weights) {
        new WideFloatEmitter(code, weights).row();
    }

    /** A program for a multiple of four rows. */
    public static void writeBatch(Assembler code, WideCode weights) {
        new WideFloatEmitter(code, weights).batch();
    }

    private void row() {
        code.store(scratch(KernelScratch.FIRST_VALUES), CallRegisters.PANEL);
        Int8Emitter.panels(code, () -> {
            code.load(ROW, scratch(KernelScratch.FIRST_VALUES));
            code.load(CallRegisters.UNITS_LEFT, scratch(KernelScratch.UNITS));
            clear(CHAINS, GROUPS);
            for (int g = 0; g < GROUPS; g++) {
                code.wide(VMOVUPS_STORE, CHAINS + g, sum(g));
            }
            blocks(() -> {
                Int8Emitter.ahead(code, weights.units.blockBytes(), WideInt8Emitter.AHEAD_BYTES);
                for (int pair = 0; pair < weights.pairs(); pair++) {
                    chainsOfRow(pair);
                    for (int g = 0; g < GROUPS; g++) {
                        weights.factor(pair, g, FACTOR);
                        code.wide(VADDPS, CHAINS + g, CHAINS + g, CHAINS + GROUPS + g);
                        code.wide(VFMADD213PS, CHAINS + g, FACTOR, sum(g));
                        code.wide(VMOVUPS_STORE, CHAINS + g, sum(g));
                    }
                }
                code.add(ROW, BLOCK_BYTES_OF_X);
            });
            for (int g = 0; g < GROUPS; g++) {
                code.wide(VMOVUPS, CHAINS + g, sum(g));
                code.wide(VMOVUPS_STORE, CHAINS + g, new Address(CallRegisters.OUT, g * VECTOR));
            }
        });
    }

    /** Chains a and b alternate. */
    private void chainsOfRow(int pair) {
        clear(CHAINS, 2 * GROUPS);
        for (int i = 0; i < quadsOfChain(); i++) {
            for (int column = 0; column < QUAD; column++) {
                for (int chain = 0; chain < 2; chain++) {
                    int quad = quad(pair, chain, i);
                    for (int g = 0; g < GROUPS; g++) {
                        weights.toFloat(quad, g, column, FLOATS);
                        code.wideEach(VFMADD231PS, CHAINS + chain * GROUPS + g, FLOATS, x(ROW, quad * QUAD + column));
                    }
                }
            }
        }
    }

    private void batch() {
        code.store(scratch(KernelScratch.FIRST_VALUES), CallRegisters.PANEL);
        Int8Emitter.panels(code, () -> {
            code.load(CallRegisters.TEMPORARY, scratch(KernelScratch.FIRST_VALUES));
            code.store(scratch(KernelScratch.VALUES), CallRegisters.TEMPORARY);
            code.load(CallRegisters.UNITS_LEFT, scratch(KernelScratch.UNITS));
            Int8Emitter.clearSums(code);
            blocks(() -> {
                Int8Emitter.ahead(code, weights.units.blockBytes(), WideInt8Emitter.AHEAD_BYTES_OF_ROWS);
                keepFactors();
                eachFour();
            });
            code.load(CallRegisters.OUT, scratch(KernelScratch.OUT));
            Int8Emitter.eachRow(code, () -> WideInt8Emitter.copySums(code));
        });
    }

    private void keepFactors() {
        for (int pair = 0; pair < weights.pairs(); pair++) {
            for (int g = 0; g < GROUPS; g++) {
                weights.factor(pair, g, FACTOR);
                code.wide(VMOVUPS_STORE, FACTOR, factor(pair, g));
            }
        }
    }

    /** All rows of x, four at a time; then they go on to their next block. */
    private void eachFour() {
        code.store(scratch(KernelScratch.UNITS_LEFT), CallRegisters.UNITS_LEFT);
        code.load(CallRegisters.SUMS, scratch(KernelScratch.SUMS));
        code.load(CallRegisters.ROWS_LEFT, scratch(KernelScratch.FOUR_COUNT));
        code.load(FOUR_ROWS.getFirst(), scratch(KernelScratch.VALUES));
        Assembler.Label next = code.label("rows");
        for (int i = 1; i < FOUR; i++) {
            code.move(FOUR_ROWS.get(i), FOUR_ROWS.get(i - 1));
            code.add(FOUR_ROWS.get(i), scratch(KernelScratch.VALUES_STRIDE));
        }
        fourRows();
        code.move(FOUR_ROWS.getFirst(), FOUR_ROWS.getLast());
        code.add(FOUR_ROWS.getFirst(), scratch(KernelScratch.VALUES_STRIDE));
        code.add(CallRegisters.SUMS, FOUR * ROW_BYTES);
        code.add(CallRegisters.ROWS_LEFT, -1);
        code.jumpIfNotZero(next);
        code.load(CallRegisters.TEMPORARY, scratch(KernelScratch.VALUES));
        code.add(CallRegisters.TEMPORARY, BLOCK_BYTES_OF_X);
        code.store(scratch(KernelScratch.VALUES), CallRegisters.TEMPORARY);
        code.load(CallRegisters.UNITS_LEFT, scratch(KernelScratch.UNITS_LEFT));
    }

    /** Four rows of x with the block, whose columns become floats anew: that costs nothing beside the products. */
    private void fourRows() {
        for (int pair = 0; pair < weights.pairs(); pair++) {
            for (int chain = 0; chain < 2; chain++) {
                clear(FOUR_CHAINS.first(), FOUR * GROUPS);
                for (int i = 0; i < quadsOfChain() * QUAD; i++) {
                    column(quad(pair, chain, i / QUAD), i % QUAD);
                }
                for (int i = 0; i < FOUR * GROUPS && chain == 0; i++) {
                    code.wide(VMOVUPS_STORE, FOUR_CHAINS.at(i), firstChain(i));
                }
            }
            for (int g = 0; g < GROUPS; g++) {
                code.wide(VMOVUPS, FLOATS_OF_FOUR.at(g), factor(pair, g));
            }
            for (int i = 0; i < FOUR * GROUPS; i++) {
                int chains = FOUR_CHAINS.at(i);
                Address sum = new Address(CallRegisters.SUMS, i * VECTOR);
                code.wide(VADDPS, chains, chains, firstChain(i));
                code.wide(VFMADD213PS, chains, FLOATS_OF_FOUR.at(i % GROUPS), sum);
                code.wide(VMOVUPS_STORE, chains, sum);
            }
        }
    }

    /** A column of the block with those of four rows. */
    private void column(int quad, int column) {
        for (int g = 0; g < GROUPS; g++) {
            weights.toFloat(quad, g, column, FLOATS_OF_FOUR.at(g));
        }
        for (int row = 0; row < FOUR; row++) {
            for (int g = 0; g < GROUPS; g++) {
                Address x = x(FOUR_ROWS.get(row), quad * QUAD + column);
                code.wideEach(VFMADD231PS, FOUR_CHAINS.at(GROUPS * row + g), FLOATS_OF_FOUR.at(g), x);
            }
        }
    }

    private void blocks(Runnable body) {
        Int8Emitter.blocks(code, weights.units, weights::header, () -> {
            weights.scales();
            weights.quadsForFloats();
            weights.floatConstants();
            body.run();
        });
    }

    private int quadsOfChain() {
        return QUADS / 2 / weights.pairs();
    }

    private int quad(int pair, int chain, int i) {
        return (2 * pair + chain) * quadsOfChain() + i;
    }

    private void clear(int from, int count) {
        for (int i = from; i < from + count; i++) {
            code.wide(VPXORD, i, i, i);
        }
    }

    private static Address x(Register row, int column) {
        return new Address(row, column * Float.BYTES);
    }

    /** The only row's sums of a group. */
    private static Address sum(int group) {
        return scratch(KernelScratch.ROW_SUMS + group * VECTOR);
    }

    /** Where the first chains of four rows wait for the second ones. */
    private static Address firstChain(int i) {
        return scratch(KernelScratch.FLOAT_TILE + i * VECTOR);
    }

    private static Address factor(int pair, int group) {
        return scratch((pair == 0 ? KernelScratch.FACTORS : KernelScratch.FACTORS_2) + group * VECTOR);
    }
}

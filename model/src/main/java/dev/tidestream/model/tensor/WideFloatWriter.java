package dev.tidestream.model.tensor;

import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;

import static dev.tidestream.model.machine.WideOp.VADDPS;
import static dev.tidestream.model.machine.WideOp.VFMADD213PS;
import static dev.tidestream.model.machine.WideOp.VFMADD231PS;
import static dev.tidestream.model.machine.WideOp.VMOVUPS;
import static dev.tidestream.model.machine.WideOp.VMOVUPS_STORE;
import static dev.tidestream.model.machine.WideOp.VPBROADCASTD;
import static dev.tidestream.model.machine.WideOp.VPXORD;
import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;
import static dev.tidestream.model.tensor.WideCode.GROUPS;
import static dev.tidestream.model.tensor.WideCode.QUADS;
import static dev.tidestream.model.tensor.WideCode.VECTOR;
import static dev.tidestream.model.tensor.WideCode.scratch;

/**
 * What {@link FloatWriter} does, with AVX-512.
 *
 * <pre>
 * registers   rdi scratch, rsi out, rdx panel, rcx and rax rows of x, r8 sums, r9 blocks and r10 units to go, r11 pairs to go
 *             0–7, 14–31 of {@link WideCode}
 * one row     8, 9 chain a, 10, 11 chain b, 12 floats, 13 whatever is at hand
 * pairs       8–11 and 16–19 chains a and b of two rows, 12, 13 rows of x, 20, 21 floats
 * </pre>
 */
final class WideFloatWriter {
    private static final int CHAINS = 8;
    private static final int FLOATS = 12;
    private static final int FACTOR = 13;
    private static final int SECOND_CHAINS = 16;
    private static final int SECOND_FLOATS = 20;
    private static final int BLOCK_BYTES_OF_X = BLOCK * Float.BYTES;
    private static final int ROW_BYTES = ROWS * Float.BYTES;
    private static final int QUAD = 4; // columns

    private final Assembler code;
    private final WideCode weights;

    private WideFloatWriter(Assembler code, WideCode weights) {
        this.code = code;
        this.weights = weights;
    }

    /** A program for one row. */
    static void writeRow(Assembler code, WideCode weights) {
        new WideFloatWriter(code, weights).row();
    }

    /** A program for an even number of rows. */
    static void writeBatch(Assembler code, WideCode weights) {
        new WideFloatWriter(code, weights).batch();
    }

    private void row() {
        code.store(scratch(MachineScratch.FIRST_VALUES), Register.RDX);
        MachineWriter.panels(code, () -> {
            code.load(Register.RCX, scratch(MachineScratch.FIRST_VALUES));
            code.load(Register.R10, scratch(MachineScratch.UNITS));
            clear(CHAINS, GROUPS);
            for (int g = 0; g < GROUPS; g++) {
                code.wide(VMOVUPS_STORE, CHAINS + g, sum(g));
            }
            blocks(() -> {
                MachineWriter.ahead(code, weights.units.blockBytes(), WideWriter.AHEAD_BYTES);
                for (int pair = 0; pair < weights.pairs(); pair++) {
                    chainsOfRow(pair);
                    for (int g = 0; g < GROUPS; g++) {
                        weights.factor(pair, g, FACTOR);
                        code.wide(VADDPS, CHAINS + g, CHAINS + g, CHAINS + GROUPS + g);
                        code.wide(VFMADD213PS, CHAINS + g, FACTOR, sum(g));
                        code.wide(VMOVUPS_STORE, CHAINS + g, sum(g));
                    }
                }
                code.add(Register.RCX, BLOCK_BYTES_OF_X);
            });
            for (int g = 0; g < GROUPS; g++) {
                code.wide(VMOVUPS, CHAINS + g, sum(g));
                code.wide(VMOVUPS_STORE, CHAINS + g, new Address(Register.RSI, g * VECTOR));
            }
        });
    }

    /** Chains a and b take turns. */
    private void chainsOfRow(int pair) {
        clear(CHAINS, 2 * GROUPS);
        for (int i = 0; i < quadsOfChain(); i++) {
            for (int column = 0; column < QUAD; column++) {
                for (int chain = 0; chain < 2; chain++) {
                    int quad = quad(pair, chain, i);
                    for (int g = 0; g < GROUPS; g++) {
                        weights.toFloat(quad, g, column, FLOATS);
                        code.wideEach(VFMADD231PS, CHAINS + chain * GROUPS + g, FLOATS, x(Register.RCX, quad * QUAD + column));
                    }
                }
            }
        }
    }

    private void batch() {
        code.store(scratch(MachineScratch.FIRST_VALUES), Register.RDX);
        MachineWriter.panels(code, () -> {
            code.load(Register.RAX, scratch(MachineScratch.FIRST_VALUES));
            code.store(scratch(MachineScratch.VALUES), Register.RAX);
            code.load(Register.R10, scratch(MachineScratch.UNITS));
            MachineWriter.clearSums(code);
            blocks(() -> {
                keepFloats();
                FloatWriter.eachPair(code, this::pairOfRows);
            });
            MachineWriter.eachRow(code, () -> {
                for (int g = 0; g < GROUPS; g++) {
                    code.wide(VMOVUPS, CHAINS, new Address(Register.R8, g * VECTOR));
                    code.wide(VMOVUPS_STORE, CHAINS, new Address(Register.RSI, g * VECTOR));
                }
            });
        });
    }

    /** The block as floats, and its factors. */
    private void keepFloats() {
        for (int quad = 0; quad < QUADS; quad++) {
            for (int column = 0; column < QUAD; column++) {
                for (int g = 0; g < GROUPS; g++) {
                    weights.toFloat(quad, g, column, FLOATS);
                    code.wide(VMOVUPS_STORE, FLOATS, tile(quad * QUAD + column, g));
                }
            }
        }
        for (int pair = 0; pair < weights.pairs(); pair++) {
            for (int g = 0; g < GROUPS; g++) {
                weights.factor(pair, g, FACTOR);
                code.wide(VMOVUPS_STORE, FACTOR, factor(pair, g));
            }
        }
    }

    /** Two rows of x with the block in the tile. */
    private void pairOfRows() {
        for (int pair = 0; pair < weights.pairs(); pair++) {
            clear(CHAINS, 2 * GROUPS);
            clear(SECOND_CHAINS, 2 * GROUPS);
            for (int i = 0; i < quadsOfChain() * QUAD; i++) {
                for (int chain = 0; chain < 2; chain++) {
                    int column = quad(pair, chain, 0) * QUAD + i;
                    code.wide(VPBROADCASTD, FLOATS, x(Register.RAX, column));
                    code.wide(VPBROADCASTD, FACTOR, x(Register.RCX, column));
                    for (int g = 0; g < GROUPS; g++) {
                        code.wide(VMOVUPS, SECOND_FLOATS + g, tile(column, g));
                        code.wide(VFMADD231PS, CHAINS + chain * GROUPS + g, FLOATS, SECOND_FLOATS + g);
                        code.wide(VFMADD231PS, SECOND_CHAINS + chain * GROUPS + g, FACTOR, SECOND_FLOATS + g);
                    }
                }
            }
            for (int row = 0; row < 2; row++) {
                for (int g = 0; g < GROUPS; g++) {
                    int a = (row == 0 ? CHAINS : SECOND_CHAINS) + g;
                    Address sum = new Address(Register.R8, row * ROW_BYTES + g * VECTOR);
                    code.wide(VADDPS, a, a, a + GROUPS);
                    code.wide(VMOVUPS, FLOATS, sum);
                    code.wide(VFMADD231PS, FLOATS, a, factor(pair, g));
                    code.wide(VMOVUPS_STORE, FLOATS, sum);
                }
            }
        }
    }

    private void blocks(Runnable body) {
        MachineWriter.blocks(code, weights.units, weights::header, () -> {
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
        return scratch(MachineScratch.HALVES + group * VECTOR);
    }

    private static Address tile(int column, int group) {
        return scratch(MachineScratch.FLOAT_TILE + (column * GROUPS + group) * VECTOR);
    }

    private static Address factor(int pair, int group) {
        return scratch((pair == 0 ? MachineScratch.FACTORS : MachineScratch.FACTORS_2) + group * VECTOR);
    }
}

package dev.tidestream.model.kernels.jit.chain;

import dev.tidestream.model.kernels.jit.avx2.Int8Emitter;
import dev.tidestream.model.kernels.jit.avx512.WideInt8Emitter;
import dev.tidestream.model.kernels.jit.base.CallRegisters;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.jit.chain.ChainCode.scratch;

/**
 * Writes the programs that multiply a panel of Q4_K or Q5_K with floats, {@code void f(scratch, out, x)}: one chain for each row
 * of weights, through all columns, as {@link Kernels#multiply} says. For one row, weights are multiplied as they are unpacked;
 * for several, those of a block stay in the first-level cache.
 *
 * <p>General registers are those of {@link CallRegisters}, and one for the row of x; vector registers those of {@link ChainCode},
 * and for many rows those of {@link RowsOfX}.
 */
public final class ChainEmitter {
    private static final Register ROW = Register.RCX;
    private static final int BLOCK_BYTES_OF_X = BLOCK * Float.BYTES;

    private final Assembler code;
    private final Lanes lanes;
    private final ChainCode weights;
    private final int groups;

    private ChainEmitter(ChainCode weights) {
        this.lanes = weights.lanes;
        this.code = lanes.code();
        this.weights = weights;
        this.groups = lanes.vectors(ROWS);
    }

    /** A program for one row. */
    public static void writeRow(ChainCode weights) {
        new ChainEmitter(weights).row();
    }

    /** A program for a multiple of two rows (AVX2) or four (AVX-512). */
    public static void writeBatch(ChainCode weights) {
        new ChainEmitter(weights).batch();
    }

    private void row() {
        code.store(scratch(KernelScratch.FIRST_VALUES), CallRegisters.PANEL);
        weights.constant();
        Int8Emitter.panels(code, () -> {
            code.load(ROW, scratch(KernelScratch.FIRST_VALUES));
            code.load(CallRegisters.UNITS_LEFT, scratch(KernelScratch.UNITS));
            for (int g = 0; g < groups; g++) {
                lanes.clear(ChainCode.SUMS.at(g));
            }
            Int8Emitter.blocks(code, weights.units, weights::header, () -> {
                Int8Emitter.ahead(code, weights.units.blockBytes(),
                        lanes.wide() ? WideInt8Emitter.AHEAD_BYTES : Int8Emitter.AHEAD_BYTES);
                weights.factors();
                weights.columns(new Row());
                code.add(ROW, BLOCK_BYTES_OF_X);
            });
            for (int g = 0; g < groups; g++) {
                lanes.store(new Address(CallRegisters.OUT, g * lanes.bytes()), ChainCode.SUMS.at(g));
            }
        });
    }

    /** Multiplies what it receives with the only row. */
    private final class Row implements ChainCode.Sink {
        @Override
        public void column(int column) {
            lanes.broadcast(ChainCode.X, new Address(ROW, column * Float.BYTES));
        }

        @Override
        public void take(int column, int group, int weights) {
            lanes.addProduct(ChainCode.SUMS.at(group), ChainCode.X, weights);
        }
    }

    /** Keeps what it receives. */
    private final class Tile implements ChainCode.Sink {
        @Override
        public void column(int column) {
            // known from take
        }

        @Override
        public void take(int column, int group, int weights) {
            lanes.store(tile(column, group), weights);
        }
    }

    private void batch() {
        RowsOfX rows = new RowsOfX(lanes);
        code.store(scratch(KernelScratch.FIRST_VALUES), CallRegisters.PANEL);
        Int8Emitter.panels(code, () -> {
            code.load(CallRegisters.TEMPORARY, scratch(KernelScratch.FIRST_VALUES));
            code.store(scratch(KernelScratch.VALUES), CallRegisters.TEMPORARY);
            code.load(CallRegisters.UNITS_LEFT, scratch(KernelScratch.UNITS));
            Int8Emitter.clearSums(code);
            weights.constant();
            Int8Emitter.blocks(code, weights.units, weights::header, () -> {
                code.store(scratch(KernelScratch.UNITS_LEFT), CallRegisters.UNITS_LEFT);
                if (lanes.wide()) {
                    Int8Emitter.ahead(code, weights.units.blockBytes(), WideInt8Emitter.AHEAD_BYTES_OF_ROWS);
                }
                weights.factors();
                weights.columns(new Tile());
                rows.each(() -> block(rows));
                code.load(CallRegisters.TEMPORARY, scratch(KernelScratch.VALUES));
                code.add(CallRegisters.TEMPORARY, BLOCK_BYTES_OF_X);
                code.store(scratch(KernelScratch.VALUES), CallRegisters.TEMPORARY);
                code.load(CallRegisters.UNITS_LEFT, scratch(KernelScratch.UNITS_LEFT));
            });
            code.load(CallRegisters.OUT, scratch(KernelScratch.OUT));
            Int8Emitter.eachRow(code, this::copySums);
        });
    }

    private void block(RowsOfX rows) {
        for (int column = 0; column < BLOCK; column++) {
            for (int g = 0; g < groups; g++) {
                lanes.load(RowsOfX.WEIGHTS.at(g), tile(column, g));
            }
            rows.multiply(column);
        }
    }

    /** Groups are in order. */
    private void copySums() {
        for (int g = 0; g < groups; g++) {
            lanes.load(ChainCode.SUMS.at(g), new Address(CallRegisters.SUMS, g * lanes.bytes()));
            lanes.store(new Address(CallRegisters.OUT, g * lanes.bytes()), ChainCode.SUMS.at(g));
        }
    }

    private Address tile(int column, int group) {
        return scratch(KernelScratch.FLOAT_TILE + (column * groups + group) * lanes.bytes());
    }
}

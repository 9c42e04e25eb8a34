package dev.tidestream.model.kernels.jit.chain;

import dev.tidestream.model.kernels.jit.avx2.FloatCode;
import dev.tidestream.model.kernels.jit.avx2.Int8Emitter;
import dev.tidestream.model.kernels.jit.avx2.PlainColumn;
import dev.tidestream.model.kernels.jit.base.CallRegisters;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.kernels.jit.base.RegisterRange;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.kernels.jit.base.VectorRegisters;
import dev.tidestream.model.kernels.jit.base.WideTable;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.jit.chain.ChainCode.panel;
import static dev.tidestream.model.kernels.jit.chain.ChainCode.scratch;
import static dev.tidestream.model.machine.WideOp.VPERMT2PS;

/**
 * Writes the programs that multiply a panel of F32, F16 or BF16 with several rows of floats, {@code void f(scratch, out, x)}: one
 * chain for each row of weights, as {@link Kernels#multiply} says. A block of columns stays in the first-level cache while rows
 * of x come past.
 *
 * <p>General registers are those of {@link CallRegisters}; columns that are left count as blocks. Vector registers are those of
 * {@link RowsOfX}, and of {@link #FINISHED} when sums are put in order.
 */
public final class PlainRowsEmitter {
    /** Most columns of a block: 16 KB of F32. */
    private static final int MOST_COLUMNS = 128;
    private static final RegisterRange WEIGHTS = RowsOfX.WEIGHTS;
    private static final int T = RowsOfX.FREE.at(0);
    private static final int UPPER_WORDS = RowsOfX.FREE.at(1);

    private static final VectorRegisters FINISHED = VectorRegisters.ymm();
    private static final RegisterRange SUMS = FINISHED.take("sums of a row", 4);
    private static final RegisterRange TABLES = FINISHED.take("order of rows, with AVX-512", 2);

    private final Assembler code;
    private final Lanes lanes;
    private final PlainColumn column;
    private final int groups;

    private PlainRowsEmitter(Lanes lanes, PlainColumn column) {
        this.lanes = lanes;
        this.code = lanes.code();
        this.column = column;
        this.groups = lanes.vectors(ROWS);
    }

    /** Columns of a block: blocks are of the same size, since programs have no other branches than those of loops. */
    public static int blockColumns(int columns) {
        int most = Math.min(columns, MOST_COLUMNS);
        while (columns % most != 0) {
            most--;
        }
        return most;
    }

    /** A program for a multiple of two rows (AVX2) or four (AVX-512). */
    public static void write(Lanes lanes, PlainColumn column) {
        new PlainRowsEmitter(lanes, column).write();
    }

    private void write() {
        RowsOfX rows = new RowsOfX(lanes);
        code.store(scratch(KernelScratch.FIRST_VALUES), CallRegisters.PANEL);
        Int8Emitter.panels(code, () -> {
            lanes.broadcast(UPPER_WORDS, scratch(VectorConstant.UPPER_WORDS.offset()));
            code.load(CallRegisters.TEMPORARY, scratch(KernelScratch.FIRST_VALUES));
            code.store(scratch(KernelScratch.VALUES), CallRegisters.TEMPORARY);
            code.load(CallRegisters.TEMPORARY, scratch(KernelScratch.COLUMN_BLOCKS));
            code.store(scratch(KernelScratch.UNITS_LEFT), CallRegisters.TEMPORARY);
            Int8Emitter.clearSums(code);
            Assembler.Label nextBlock = code.label("column_block");
            code.store(scratch(KernelScratch.BLOCK), CallRegisters.PANEL);
            rows.each(() -> block(rows));
            code.load(CallRegisters.TEMPORARY, scratch(KernelScratch.VALUES));
            code.add(CallRegisters.TEMPORARY, scratch(KernelScratch.BLOCK_VALUES));
            code.store(scratch(KernelScratch.VALUES), CallRegisters.TEMPORARY);
            code.load(CallRegisters.TEMPORARY, scratch(KernelScratch.UNITS_LEFT));
            code.add(CallRegisters.TEMPORARY, -1);
            code.store(scratch(KernelScratch.UNITS_LEFT), CallRegisters.TEMPORARY);
            code.jumpIfNotZero(nextBlock);
            code.load(CallRegisters.OUT, scratch(KernelScratch.OUT));
            orderTables();
            Int8Emitter.eachRow(code, this::copySums);
        });
    }

    /** From the block's first column on, for some rows; the panel's register is behind the block then. */
    private void block(RowsOfX rows) {
        code.load(CallRegisters.PANEL, scratch(KernelScratch.BLOCK));
        code.load(CallRegisters.BLOCKS_LEFT, scratch(KernelScratch.BLOCK_COLUMNS));
        Assembler.Label nextColumn = code.label("column");
        column();
        rows.multiply(0);
        rows.registers().forEach(row -> code.add(row, Float.BYTES));
        code.add(CallRegisters.PANEL, column.bytes());
        code.add(CallRegisters.BLOCKS_LEFT, -1);
        code.jumpIfNotZero(nextColumn);
    }

    /** The weights of a column, by groups. */
    private void column() {
        switch (column) {
            case F32 -> {
                for (int g = 0; g < groups; g++) {
                    lanes.load(WEIGHTS.at(g), panel(g * lanes.bytes()));
                }
            }
            case F16 -> {
                for (int g = 0; g < groups; g++) {
                    lanes.loadHalves(WEIGHTS.at(g), panel(g * lanes.bytes() / 2));
                }
            }
            case BF16 -> { // the upper half of a float; rows r and r + 16 in a lane
                int parts = ChainCode.parts(lanes);
                for (int part = 0; part < parts; part++) {
                    lanes.load(T, panel(part * lanes.bytes()));
                    lanes.shiftLeft(WEIGHTS.at(part), T, Short.SIZE);
                    lanes.and(WEIGHTS.at(part + parts), T, UPPER_WORDS);
                }
            }
        }
    }

    private void orderTables() {
        if (column == PlainColumn.F16 && lanes.wide()) {
            lanes.load(TABLES.at(0), scratch(WideTable.EVEN.offset()));
            lanes.load(TABLES.at(1), scratch(WideTable.ODD.offset()));
        }
    }

    private void copySums() {
        for (int g = 0; g < groups; g++) {
            lanes.load(SUMS.at(g), new Address(CallRegisters.SUMS, g * lanes.bytes()));
        }
        int[] order = column == PlainColumn.F16 ? inOrder() : new int[] {SUMS.at(0), SUMS.at(1), SUMS.at(2), SUMS.at(3)};
        for (int g = 0; g < groups; g++) {
            lanes.store(new Address(CallRegisters.OUT, g * lanes.bytes()), order[g]);
        }
    }

    /** Sums of rows {@code 0 16 1 17 …}; the registers of those in order. */
    private int[] inOrder() {
        if (!lanes.wide()) {
            return FloatCode.linesInOrder(code);
        }
        int first = SUMS.at(0);
        int second = SUMS.at(2);
        lanes.move(second, first);
        code.wide(VPERMT2PS, first, TABLES.at(0), SUMS.at(1));
        code.wide(VPERMT2PS, second, TABLES.at(1), SUMS.at(1));
        return new int[] {first, second};
    }
}

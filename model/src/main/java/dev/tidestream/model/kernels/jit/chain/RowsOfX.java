package dev.tidestream.model.kernels.jit.chain;

import java.util.List;

import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.jit.chain.ChainCode.scratch;
import static dev.tidestream.model.machine.WideOp.VFMADD231PS;

/**
 * Code that multiplies a block of weights with rows of x, some at a time, which are as many as have eight vectors of sums: two with AVX2,
 * four with AVX-512.
 *
 * <pre>
 * registers   rax, rcx, rsi, r10 rows of x, r8 their sums, r11 how often it is to be done; 0–7 sums, 8, 9 elements of x, 10–13 weights
 * </pre>
 */
final class RowsOfX {
    static final int WEIGHTS = 10;
    private static final int SUMS = 8; // vectors
    private static final int X = 8; // and 9
    private static final int ROW_BYTES = ROWS * Float.BYTES;
    private static final List<Register> REGISTERS = List.of(Register.RAX, Register.RCX, Register.RSI, Register.R10);

    private final Lanes lanes;
    private final Assembler code;
    private final int groups;
    private final List<Register> rows;

    RowsOfX(Lanes lanes) {
        this.lanes = lanes;
        this.code = lanes.code();
        this.groups = lanes.vectors(ROWS);
        this.rows = REGISTERS.subList(0, SUMS / groups);
    }

    /** Registers of rows that are taken at a time. */
    List<Register> registers() {
        return rows;
    }

    /** Goes through all rows, from where {@code VALUES} says; the body advances neither them nor the sums. */
    void each(Runnable body) {
        code.load(Register.R8, scratch(KernelScratch.SUMS));
        code.load(Register.R11, scratch(lanes.wide() ? KernelScratch.FOUR_COUNT : KernelScratch.PAIR_COUNT));
        code.load(Register.RAX, scratch(KernelScratch.VALUES));
        Assembler.Label next = code.label("rows");
        code.store(scratch(KernelScratch.FIRST_ROW), Register.RAX);
        for (int i = 1; i < rows.size(); i++) {
            code.move(rows.get(i), rows.get(i - 1));
            code.add(rows.get(i), scratch(KernelScratch.VALUES_STRIDE));
        }
        for (int i = 0; i < SUMS; i++) {
            lanes.load(i, new Address(Register.R8, i * lanes.bytes()));
        }
        body.run();
        for (int i = 0; i < SUMS; i++) {
            lanes.store(new Address(Register.R8, i * lanes.bytes()), i);
        }
        code.load(Register.RAX, scratch(KernelScratch.FIRST_ROW));
        for (int i = 0; i < rows.size(); i++) {
            code.add(Register.RAX, scratch(KernelScratch.VALUES_STRIDE));
        }
        code.add(Register.R8, rows.size() * ROW_BYTES);
        code.add(Register.R11, -1);
        code.jumpIfNotZero(next);
    }

    /** Adds the products of a column, whose weights are in {@link #WEIGHTS}. */
    void multiply(int column) {
        for (int row = 0; row < rows.size(); row++) {
            Address x = new Address(rows.get(row), column * Float.BYTES);
            if (!lanes.wide()) {
                lanes.broadcast(X + row, x);
            }
            for (int g = 0; g < groups; g++) {
                int sum = row * groups + g;
                if (lanes.wide()) {
                    code.wideEach(VFMADD231PS, sum, WEIGHTS + g, x);
                } else {
                    lanes.addProduct(sum, X + row, WEIGHTS + g);
                }
            }
        }
    }
}

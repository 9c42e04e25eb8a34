package dev.tidestream.model.kernels.jit.chain;

import java.util.List;

import dev.tidestream.model.kernels.jit.base.CallRegisters;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.kernels.jit.base.RegisterRange;
import dev.tidestream.model.kernels.jit.base.VectorRegisters;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.jit.chain.ChainCode.scratch;
import static dev.tidestream.model.machine.WideOp.VFMADD231PS;

/**
 * Code that multiplies a block of weights with rows of x, some at a time, which are as many as have eight vectors of sums: two
 * with AVX2, four with AVX-512.
 *
 * <p>General registers are those of {@link CallRegisters}, but for rows of x, which are in {@link #registers}; vector registers
 * those of {@link #ROLES}, of 256 bits or 512.
 */
final class RowsOfX {
    private static final int MOST_GROUPS = 4;
    private static final VectorRegisters ROLES = VectorRegisters.ymm();
    private static final RegisterRange SUMS = ROLES.take("sums of rows", 2 * MOST_GROUPS);
    private static final RegisterRange X = ROLES.take("elements of two rows", 2);
    static final RegisterRange WEIGHTS = ROLES.take("weights of a column", MOST_GROUPS);
    static final RegisterRange FREE = ROLES.take("free for what makes weights", 2);
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
        this.rows = REGISTERS.subList(0, SUMS.count() / groups);
    }

    /** Registers of rows that are taken at a time. */
    List<Register> registers() {
        return rows;
    }

    /** Goes through all rows, from where {@code VALUES} says; the body advances neither them nor the sums. */
    void each(Runnable body) {
        code.load(CallRegisters.SUMS, scratch(KernelScratch.SUMS));
        code.load(CallRegisters.ROWS_LEFT, scratch(lanes.wide() ? KernelScratch.FOUR_COUNT : KernelScratch.PAIR_COUNT));
        code.load(rows.getFirst(), scratch(KernelScratch.VALUES));
        Assembler.Label next = code.label("rows");
        code.store(scratch(KernelScratch.FIRST_ROW), rows.getFirst());
        for (int i = 1; i < rows.size(); i++) {
            code.move(rows.get(i), rows.get(i - 1));
            code.add(rows.get(i), scratch(KernelScratch.VALUES_STRIDE));
        }
        for (int i = 0; i < SUMS.count(); i++) {
            lanes.load(SUMS.at(i), new Address(CallRegisters.SUMS, i * lanes.bytes()));
        }
        body.run();
        for (int i = 0; i < SUMS.count(); i++) {
            lanes.store(new Address(CallRegisters.SUMS, i * lanes.bytes()), SUMS.at(i));
        }
        code.load(rows.getFirst(), scratch(KernelScratch.FIRST_ROW));
        for (int i = 0; i < rows.size(); i++) {
            code.add(rows.getFirst(), scratch(KernelScratch.VALUES_STRIDE));
        }
        code.add(CallRegisters.SUMS, rows.size() * ROW_BYTES);
        code.add(CallRegisters.ROWS_LEFT, -1);
        code.jumpIfNotZero(next);
    }

    /** Adds the products of a column, whose weights are in {@link #WEIGHTS}. */
    void multiply(int column) {
        for (int row = 0; row < rows.size(); row++) {
            Address x = new Address(rows.get(row), column * Float.BYTES);
            if (!lanes.wide()) {
                lanes.broadcast(X.at(row), x);
            }
            for (int g = 0; g < groups; g++) {
                int sum = SUMS.at(row * groups + g);
                if (lanes.wide()) {
                    code.wideEach(VFMADD231PS, sum, WEIGHTS.at(g), x);
                } else {
                    lanes.addProduct(sum, X.at(row), WEIGHTS.at(g));
                }
            }
        }
    }
}

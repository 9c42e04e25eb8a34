package dev.tidestream.model.kernels.jit.base;

import dev.tidestream.model.machine.Register;

/**
 * What the general registers hold in kernels that multiply: {@code void f(scratch, out, x)}, and counts of loops. In kernels of
 * int8 activations all of them; in those of floats, rows of x are in other registers that the emitter names.
 */
public final class CallRegisters {
    /** {@link KernelScratch}. */
    public static final Register SCRATCH = Register.RDI;
    /** Where the results of the panel go. */
    public static final Register OUT = Register.RSI;
    /** The panel's next unit, then its next block. */
    public static final Register PANEL = Register.RDX;
    /** The next {@link ActivationRecord} of the first row. */
    public static final Register RECORDS = Register.RCX;
    /** Sums of rows that wait in scratch memory. */
    public static final Register SUMS = Register.R8;
    /** Blocks of the unit that are left. */
    public static final Register BLOCKS_LEFT = Register.R9;
    /** Units of the panel that are left. */
    public static final Register UNITS_LEFT = Register.R10;
    /** Rows of x, or pairs or fours of them, that are left. */
    public static final Register ROWS_LEFT = Register.R11;
    /** For a moment. */
    public static final Register TEMPORARY = Register.RAX;

    private CallRegisters() {}
}

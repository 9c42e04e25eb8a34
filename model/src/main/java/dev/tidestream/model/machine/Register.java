package dev.tidestream.model.machine;

/** The general registers that a System V function may change without saving them; the number is that of the encoding. */
public enum Register {
    RAX(0),
    RCX(1),
    RDX(2),
    /** The second argument. */
    RSI(6),
    /** The first argument. */
    RDI(7),
    R8(8),
    R9(9),
    R10(10),
    R11(11);

    private final int number;

    Register(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }
}

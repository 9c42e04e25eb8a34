package dev.tidestream.model.machine;

/** Shifts by a number: opcode (66 0F) and what stands in for a register. */
public enum Shift {
    /** 16-bit lanes to the right, zeros in. */
    VPSRLW(0x71, 2),
    /** 16-bit lanes to the right, sign in. */
    VPSRAW(0x71, 4),
    /** 16-bit lanes to the left. */
    VPSLLW(0x71, 6),
    /** 32-bit lanes to the right, zeros in. */
    VPSRLD(0x72, 2),
    /** 32-bit lanes to the right, sign in. */
    VPSRAD(0x72, 4),
    /** 32-bit lanes to the left. */
    VPSLLD(0x72, 6),
    /** 64-bit lanes to the left. */
    VPSLLQ(0x73, 6);

    private final int opcode;
    private final int extension;

    Shift(int opcode, int extension) {
        this.opcode = opcode;
        this.extension = extension;
    }

    int opcode() {
        return opcode;
    }

    int extension() {
        return extension;
    }

    /** The bit W, for 512 bits. */
    int w() {
        return this == VPSLLQ ? 1 : 0;
    }
}

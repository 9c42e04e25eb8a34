package dev.tidestream.model.tensor;

/** Vectors of one 32-bit number, at their places in {@link MachineScratch}. */
enum MachineConstant {
    /** 1 in 16 bits. */
    ONES(0, 0x00010001),
    /** Low nibbles of bytes. */
    NIBBLES(1, 0x0f0f0f0f),
    /** Low bytes of words. */
    LOW_BYTES(2, 0x00ff00ff),
    /** A number of six bits in the upper byte. */
    UPPER_SIX(3, 0x3f003f00),
    /** Four bits at the bottom of a word. */
    LOW_FOUR(4, 0x000f000f),
    /** Two bits at the bottom of a word. */
    LOW_TWO(5, 0x00030003),
    /** Bits 5–2 of the upper byte. */
    UPPER_FOUR(6, 0x3c003c00),
    /** Bits 1–0 of the upper byte. */
    UPPER_TWO(7, 0x03000300),
    /** The sign of a number of six bits, in bytes. */
    SIX_BIT_SIGN(8, 0x20202020),
    /** 15 in 32 bits. */
    FIFTEEN(9, 15),
    /** 8 in 32 bits. */
    EIGHT(10, 8),
    /** The two bits above. */
    NEXT_TWO(11, 0x000c000c),
    /** Six bits at the top. */
    TOP_SIX(12, 0xfc000000),
    /** The float 2^-26. */
    SMALL(13, 0x32800000);

    private static final int BYTES = 32;

    private final int place;
    private final int lane;

    MachineConstant(int place, int lane) {
        this.place = place;
        this.lane = lane;
    }

    int lane() {
        return lane;
    }

    int offset() {
        return MachineScratch.CONSTANTS + place * BYTES;
    }
}

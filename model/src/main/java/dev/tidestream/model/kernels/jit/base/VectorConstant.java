package dev.tidestream.model.kernels.jit.base;

/** Vectors of one 32-bit number or of four, at their places in {@link KernelScratch}. */
public enum VectorConstant {
    /** 1 in 16 bits. */
    ONES(0x00010001),
    /** Low nibbles of bytes. */
    NIBBLES(0x0f0f0f0f),
    /** Low bytes of words. */
    LOW_BYTES(0x00ff00ff),
    /** A number of six bits in the upper byte. */
    UPPER_SIX(0x3f003f00),
    /** Four bits at the bottom of a word. */
    LOW_FOUR(0x000f000f),
    /** Two bits at the bottom of a word. */
    LOW_TWO(0x00030003),
    /** Bits 5–2 of the upper byte. */
    UPPER_FOUR(0x3c003c00),
    /** Bits 1–0 of the upper byte. */
    UPPER_TWO(0x03000300),
    /** The sign of a number of six bits, in bytes. */
    SIX_BIT_SIGN(0x20202020),
    /** The two bits above. */
    NEXT_TWO(0x000c000c),
    /** Six bits at the top. */
    TOP_SIX(0xfc000000),
    /** The float 2^-26. */
    SMALL(0x32800000),
    /** The words in the upper halves of 32 bits. */
    UPPER_WORDS(0xffff0000),
    /** Of the floats -8 to 7, the third byte; of all their lower bytes none is set. */
    EIGHT_LESS_THIRD(0xa0c0e000, 0x80004080, 0x40008000, 0xe0c0a080),
    /** Of the floats -8 to 7, the top byte. */
    EIGHT_LESS_TOP(0xc0c0c0c1, 0xbfc0c0c0, 0x40403f00, 0x40404040),
    /** The sign of a byte. */
    BYTE_SIGN(0x80808080),
    /** The lowest byte of 32 bits. */
    LOWEST_BYTE(0x000000ff),
    /** Bits 5–2 of the lower byte of words. */
    MIDDLE_FOUR(0x003c003c),
    /** Upper bytes of words. */
    UPPER_BYTES(0xff00ff00),
    /** A number of six bits in bytes. */
    LOW_SIX(0x3f3f3f3f),
    /** The float 2^-24. */
    SMALL_BY_24(0x33800000),
    /** The top byte of 32 bits. */
    TOP_BYTE(0xff000000),
    /** A number of six bits at the top of bytes. */
    UPPER_SIX_OF_BYTES(0xfcfcfcfc),
    /** All bits of a float but its sign. */
    MAGNITUDE(0x7fffffff),
    /** The float infinity; what is larger, as a number, is none. */
    INFINITY(0x7f800000),
    /** The float 127. */
    LARGEST_QUANT(0x42fe0000),
    /** The float 1.5 * 2^23: added to a number below 2^22, it leaves the nearest integer (ties to even) in the low bits. */
    ROUND(0x4b400000),
    /** 1 in 8 bits. */
    ONE_BYTES(0x01010101),
    /** What {@link ActivationRecord} has the sum of the quants multiplied with. */
    CENTRE_FACTORS(0, -8, 0, -128),
    /** The same for the sums of both halves, and that of all quants once more. */
    CENTRE_FACTORS_OF_HALVES(-32, -32, -1, 0),
    /** Where it has the scale. */
    SCALE_PLACE(-1, 0, 0, 0),
    /** Where it has the sum as a float. */
    MINUS_SUM_PLACE(0, 0, -1, 0),
    /** A number of five bits at the bottom of a word. */
    LOW_FIVE(0x001f001f),
    /** A number of five bits in the upper byte. */
    UPPER_FIVE(0x1f001f00),
    /** The top bit of a word. */
    TOP_BIT(0x80008000),
    /** A number of five bits in bytes. */
    LOW_FIVE_OF_BYTES(0x1f1f1f1f),
    /** Four bits at the bottom of 32. */
    LOWEST_FOUR(0x0000000f),
    /** Five bits at the bottom of 32. */
    LOWEST_FIVE(0x0000001f),
    /** Two bits at the bottom of bytes. */
    LOW_TWO_OF_BYTES(0x03030303);

    /** Of one of them. */
    static final int BYTES = 32;

    private final int lane0;
    private final int lane1;
    private final int lane2;
    private final int lane3;

    VectorConstant(int lane) {
        this(lane, lane, lane, lane);
    }

    VectorConstant(int lane0, int lane1, int lane2, int lane3) {
        this.lane0 = lane0;
        this.lane1 = lane1;
        this.lane2 = lane2;
        this.lane3 = lane3;
    }

    /** Four of its eight lanes; the others are the same. */
    int[] half() {
        return new int[] {lane0, lane1, lane2, lane3};
    }

    /** Where it is in {@link KernelScratch}. */
    public int offset() {
        return KernelScratch.offset(this);
    }
}

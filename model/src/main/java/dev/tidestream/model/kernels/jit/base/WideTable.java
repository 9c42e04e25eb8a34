package dev.tidestream.model.kernels.jit.base;

/** Vectors of 64 bytes that say where parts of a line are, at their places in {@link MachineScratch}. */
public enum WideTable {
    /** Of four lines of 32 bytes, rows 0 16 1 17 …: the four bytes of row 0, then of row 1 … */
    BYTES_OF_ROWS_0_15(0),
    /** The same for the rows behind. */
    BYTES_OF_ROWS_16_31(1),
    /** Of two lines of words, rows 0 16 1 17 …: the two of row 0, then of row 1 …; as numbers of 16 bits. */
    WORDS_OF_ROWS_0_15(2),
    /** The same for the rows behind. */
    WORDS_OF_ROWS_16_31(3),
    /** Bits: four times four of the lower half of each 32. */
    NIBBLES_OF_LOWER_WORDS(4),
    /** Of the upper half. */
    NIBBLES_OF_UPPER_WORDS(5),
    /** Bits: columns at 15–10 and 9–4 of the lower half of each 32, then of the upper half. */
    SIXES(6),
    /** Bits: columns at 15–10 and 9–4 of the lower half, at the bottom of either byte of the upper half. */
    SIXES_AND_BYTES(7),
    /** Two bits below {@link #SIXES}, so that columns are at the top of their bytes. */
    SIXES_ON_TOP(8),
    /** Two bits below {@link #SIXES_AND_BYTES}. */
    SIXES_AND_BYTES_ON_TOP(9),
    /** Of each 32 bits byte 0, on top of zeros. */
    BYTE_0_ON_TOP(10),
    /** Byte 1. */
    BYTE_1_ON_TOP(11),
    /** Byte 2. */
    BYTE_2_ON_TOP(12),
    /** The floats -8 to 7. */
    EIGHT_LESS(13),
    /** Bits: columns at 4–0, 9–5 and 14–10 of the lower half of each 32, and at 4–0 of the upper half. */
    FIVES_3_1(14),
    /** Columns at 9–5 and 14–10 of the lower half, and at 4–0 and 9–5 of the upper half. */
    FIVES_2_2(15),
    /** The column at 14–10 of the lower half, and those at 4–0, 9–5 and 14–10 of the upper half. */
    FIVES_1_3(16),
    /** The floats 0 to 15. */
    TO_FIFTEEN(17),
    /** Even places among 32 floats. */
    EVEN(18),
    /** Odd ones. */
    ODD(19);

    /** Bytes of a table: a vector of AVX-512. */
    public static final int VECTOR_BYTES = 64;

    /** Of all tables. */
    static final int ALL_BYTES = 20 * VECTOR_BYTES;

    private static final int[] SIX_BITS_AT = {10, 4, 26, 20};
    private static final int[] FIVE_BITS_AT = {0, 5, 10, 16, 21, 26};
    private static final int[] SIX_AND_EIGHT_BITS_AT = {10, 4, 16, 24};

    private final int place;

    WideTable(int place) {
        this.place = place;
    }

    /** Where it is in {@link MachineScratch}. */
    public int offset() {
        return MachineScratch.TABLES + place * VECTOR_BYTES;
    }

    byte[] bytes() {
        byte[] bytes = new byte[VECTOR_BYTES];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) entry(i);
        }
        return bytes;
    }

    /** For {@code VPSHUFB}. */
    private static int onTop(int lane, int part, int number) {
        return part == 3 ? lane % 4 * 4 + number : 0x80;
    }

    private int entry(int i) {
        int lane = i / 4; // of 32 bits
        int part = i % 4;
        return switch (this) {
            case BYTES_OF_ROWS_0_15 -> part * 32 + lane * 2;
            case BYTES_OF_ROWS_16_31 -> part * 32 + lane * 2 + 1;
            case WORDS_OF_ROWS_0_15 -> part % 2 != 0 ? 0 : part / 2 * 32 + lane * 2;
            case WORDS_OF_ROWS_16_31 -> part % 2 != 0 ? 0 : part / 2 * 32 + lane * 2 + 1;
            case NIBBLES_OF_LOWER_WORDS -> lane % 2 * 32 + part * 4;
            case NIBBLES_OF_UPPER_WORDS -> lane % 2 * 32 + part * 4 + 16;
            case SIXES -> lane % 2 * 32 + SIX_BITS_AT[part];
            case SIXES_AND_BYTES -> lane % 2 * 32 + SIX_AND_EIGHT_BITS_AT[part];
            case SIXES_ON_TOP -> lane % 2 * 32 + SIX_BITS_AT[part] - 2;
            case SIXES_AND_BYTES_ON_TOP -> lane % 2 * 32 + SIX_AND_EIGHT_BITS_AT[part] - 2;
            case FIVES_3_1 -> lane % 2 * 32 + FIVE_BITS_AT[part];
            case FIVES_2_2 -> lane % 2 * 32 + FIVE_BITS_AT[part + 1];
            case FIVES_1_3 -> lane % 2 * 32 + FIVE_BITS_AT[part + 2];
            case BYTE_0_ON_TOP -> onTop(lane, part, 0);
            case BYTE_1_ON_TOP -> onTop(lane, part, 1);
            case BYTE_2_ON_TOP -> onTop(lane, part, 2);
            case TO_FIFTEEN -> Float.floatToIntBits(lane) >> (part * Byte.SIZE);
            case EVEN -> part == 0 ? 2 * lane : 0;
            case ODD -> part == 0 ? 2 * lane + 1 : 0;
            case EIGHT_LESS -> Float.floatToIntBits(lane - 8f) >> (part * Byte.SIZE);
        };
    }
}

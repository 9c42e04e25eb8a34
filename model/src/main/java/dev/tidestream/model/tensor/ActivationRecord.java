package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A block of 32 int8 codes as the programs of {@link MachineWriter} and {@link WideWriter} read it, 64 bytes:
 *
 * <pre>
 * | 32 codes | dx: f32 | -8 n: i32 | -n: f32 | -128 n: i32 | -32 l: i32 | -32 u: i32 | unused |
 * </pre>
 *
 * <p>n is the sum of the codes, l that of the first 16 and u that of the others.
 */
final class ActivationRecord {
    static final int BYTES = 64;
    static final int SCALE = 32;
    /** What Q4_0's centre takes off. */
    static final int CENTRE = 36;
    static final int MINUS_SUM = 40;
    /** What 128 added to each weight takes off. */
    static final int CENTRE_OF_BYTES = 44;
    /** What 32 added to each weight takes off, for each half of the block. */
    static final int CENTRES_OF_SIXES = 48;
    private static final int HALF = PanelLayout.BLOCK / 2;

    private ActivationRecord() {}

    /**
     * Writes one.
     *
     * @param pairs 32 codes, two to an int, from {@code from}, of the sum {@code sum}
     */
    static void write(MemorySegment records, long at, int[] pairs, int from, float scale, int sum) {
        int sumOfLower = 0;
        for (int j = 0; j < HALF / 2; j++) {
            int pair = pairs[from + j];
            sumOfLower += (short) pair + (pair >> 16);
        }
        for (int j = 0; j < PanelLayout.BLOCK / Integer.BYTES; j++) {
            int first = pairs[from + 2 * j];
            int second = pairs[from + 2 * j + 1];
            records.set(ValueLayout.JAVA_INT, at + (long) j * Integer.BYTES, (first & 0xff) | ((first >> 8) & 0xff00)
                    | ((second & 0xff) << 16) | ((second << 8) & 0xff00_0000));
        }
        records.set(ValueLayout.JAVA_FLOAT, at + SCALE, scale);
        records.set(ValueLayout.JAVA_INT, at + CENTRE, -8 * sum);
        records.set(ValueLayout.JAVA_FLOAT, at + MINUS_SUM, -sum);
        records.set(ValueLayout.JAVA_INT, at + CENTRE_OF_BYTES, -128 * sum);
        records.set(ValueLayout.JAVA_INT, at + CENTRES_OF_SIXES, -32 * sumOfLower);
        records.set(ValueLayout.JAVA_INT, at + CENTRES_OF_SIXES + Integer.BYTES, -32 * (sum - sumOfLower));
    }
}

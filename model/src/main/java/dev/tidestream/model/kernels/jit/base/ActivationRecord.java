package dev.tidestream.model.kernels.jit.base;

import dev.tidestream.model.format.base.PanelLayout;

/**
 * A block of 32 int8 quants as the programs of {@code Int8Emitter} and {@code WideInt8Emitter} read it and {@code RecordEmitter}
 * writes it, 64 bytes:
 *
 * <pre>
 * | 32 quants | dx: f32 | -8 n: i32 | -n: f32 | -128 n: i32 | -32 l: i32 | -32 u: i32 | -n: i32 | unused |
 * </pre>
 *
 * <p>n is the sum of the quants, l that of the first 16 and u that of the others.
 */
public final class ActivationRecord {
    private static final ScratchLayout LAYOUT = ScratchLayout.of(
            ScratchLayout.room("quants", PanelLayout.BLOCK),
            ScratchLayout.floats("scale"),
            ScratchLayout.ints("centre"),
            ScratchLayout.floats("minus_sum"),
            ScratchLayout.ints("centre_of_bytes"),
            ScratchLayout.room("centres_of_sixes", 2 * Integer.BYTES),
            ScratchLayout.ints("centre_of_ternary"),
            ScratchLayout.ints("unused"));

    /** Bytes of a record. */
    public static final int BYTES = LAYOUT.bytes();
    /** Where the scale is. */
    public static final int SCALE = LAYOUT.offset("scale");
    /** What Q4_0's centre takes off. */
    public static final int CENTRE = LAYOUT.offset("centre");
    /** Where the sum of the quants is, negative, as a float. */
    public static final int MINUS_SUM = LAYOUT.offset("minus_sum");
    /** What 128 added to each weight takes off. */
    public static final int CENTRE_OF_BYTES = LAYOUT.offset("centre_of_bytes");
    /** What 32 added to each weight takes off, for each half of the block. */
    public static final int CENTRES_OF_SIXES = LAYOUT.offset("centres_of_sixes");
    /** What 1 added to each weight takes off. */
    public static final int CENTRE_OF_TERNARY = LAYOUT.offset("centre_of_ternary");

    private ActivationRecord() {}
}

package dev.tidestream.model.kernels.jit.base;

/**
 * A block of 32 int8 codes as the programs of {@code Int8Emitter} and {@code WideInt8Emitter} read it and {@code RecordEmitter}
 * writes it, 64 bytes:
 *
 * <pre>
 * | 32 codes | dx: f32 | -8 n: i32 | -n: f32 | -128 n: i32 | -32 l: i32 | -32 u: i32 | -n: i32 | unused |
 * </pre>
 *
 * <p>n is the sum of the codes, l that of the first 16 and u that of the others.
 */
public final class ActivationRecord {
    /** Bytes of a record. */
    public static final int BYTES = 64;
    /** Where the scale is. */
    public static final int SCALE = 32;
    /** What Q4_0's centre takes off. */
    public static final int CENTRE = 36;
    /** Where the sum of the codes is, negative, as a float. */
    public static final int MINUS_SUM = 40;
    /** What 128 added to each weight takes off. */
    public static final int CENTRE_OF_BYTES = 44;
    /** What 32 added to each weight takes off, for each half of the block. */
    public static final int CENTRES_OF_SIXES = 48;

    /** What 1 added to each weight takes off. */
    public static final int CENTRE_OF_TERNARY = 56;

    private ActivationRecord() {}
}

package dev.tidestream.model.tied;

import java.util.Locale;

/**
 * How a tied embedding makes logits. With float activations all modes agree to float32 precision; each agrees
 * with itself to the bit.
 */
public enum HeadMode {
    /** Holds the embedding (V, H) as float32 and has ND4J transpose it on every call: the slow baseline. */
    TRANSPOSE_PER_STEP,
    /** Holds the transpose (H, V) as a float32 ND4J array and multiplies with ND4J's BLAS. */
    CACHED_TRANSPOSE,
    /** The panels alone: one copy for both ends, in the format of the file. The default. */
    PACKED;

    /** As administrators write it, e.g. {@code cached-transpose}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Bytes that a layer holds beside the panels, for an embedding (vocabulary, hidden). */
    public long derivedBytes(long vocabulary, long hidden) {
        return switch (this) {
            case TRANSPOSE_PER_STEP, CACHED_TRANSPOSE -> denseBytes(vocabulary, hidden);
            case PACKED -> 0;
        };
    }

    /** Bytes that every call takes for as long as it lasts; scratch space of some rows of logits not counted. */
    public long transientBytes(long vocabulary, long hidden) {
        return switch (this) {
            case TRANSPOSE_PER_STEP -> denseBytes(vocabulary, hidden);
            case CACHED_TRANSPOSE, PACKED -> 0;
        };
    }

    /** What a memory budget has to have room for before a layer is built: derived and transient bytes. */
    public long peakBytes(long vocabulary, long hidden) {
        return Math.addExact(derivedBytes(vocabulary, hidden), transientBytes(vocabulary, hidden));
    }

    private static long denseBytes(long vocabulary, long hidden) {
        return Math.multiplyExact(Math.multiplyExact(vocabulary, hidden), (long) Float.BYTES);
    }
}

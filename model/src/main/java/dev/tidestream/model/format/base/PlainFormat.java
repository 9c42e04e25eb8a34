package dev.tidestream.model.format.base;

import java.lang.foreign.MemorySegment;

/** A format whose elements are floats of some width, each alone. */
public non-sealed interface PlainFormat extends Format {
    @Override
    default Rounding rounding() {
        return Rounding.PLAIN;
    }

    /** An element of a file. */
    float element(MemorySegment rowMajor, long index);

    /** Writes an element of a file, rounded to this format. */
    void put(MemorySegment rowMajor, long index, float value);

    /** Rounds a value to this format, to nearest, ties to even; infinite if it is beyond the largest. */
    float round(float value);
}

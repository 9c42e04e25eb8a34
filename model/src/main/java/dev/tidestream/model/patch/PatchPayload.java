package dev.tidestream.model.patch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

import dev.tidestream.model.patch.PatchException.Reason;

/**
 * Reads a payload whose length was checked.
 *
 * @param name of the tensor, for errors
 */
record PatchPayload(String name, MemorySegment segment, PatchDtype dtype) {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Row number {@code i} of ROWS. */
    int rowNumber(int i) {
        return segment.get(INT, (long) i * Integer.BYTES);
    }

    /** Place {@code i} of SPARSE. */
    long place(long i) {
        return segment.get(LONG, i * Long.BYTES);
    }

    /**
     * Checks that the places of SPARSE rise and are places of the tensor.
     *
     * @param count of them
     * @param elements of the tensor
     * @throws PatchException if they do not
     */
    void requirePlaces(long count, long elements) {
        long before = -1;
        for (long i = 0; i < count; i++) {
            long place = place(i);
            if (place < 0 || place >= elements) {
                throw new PatchException(Reason.INVALID_ROWS, "no such element: tensor=%s, places[%d]=%d, the tensor's elements=%d"
                        .formatted(name, i, place, elements));
            }
            if (place <= before) {
                throw new PatchException(Reason.INVALID_ROWS, "places must rise: tensor=%s, places[%d]=%d, before=%d"
                        .formatted(name, i, place, before));
            }
            before = place;
        }
    }

    /** How many of the places of SPARSE are less than one. */
    long placesBefore(long count, long place) {
        long low = 0;
        long high = count;
        while (low < high) {
            long middle = (low + high) >>> 1;
            if (place(middle) < place) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /**
     * Reads values as float32.
     *
     * @param startBytes where the values begin
     * @param index of the first value to read
     * @param out receives {@code count} values from {@code outOffset}
     * @throws PatchException if one is not finite
     */
    void read(long startBytes, long index, int count, float[] out, int outOffset) {
        long from = startBytes + index * dtype.bytes();
        switch (dtype) {
            case F32 -> MemorySegment.copy(segment, FLOAT, from, out, outOffset, count);
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    out[outOffset + i] = Float.float16ToFloat(segment.get(SHORT, from + (long) i * Short.BYTES));
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    out[outOffset + i] = Float.intBitsToFloat(segment.get(SHORT, from + (long) i * Short.BYTES) << 16);
                }
            }
        }
        int bad = firstNonFinite(out, outOffset, count);
        if (bad >= 0) {
            throw new PatchException(Reason.NON_FINITE, "payload value is not finite: tensor=%s, dtype=%s, byte=%d, value=%s"
                    .formatted(name, dtype, from + (long) bad * dtype.bytes(), out[outOffset + bad]));
        }
    }

    /** Index, from {@code offset}, of the first value that is infinite or NaN; -1 if there is none. */
    static int firstNonFinite(float[] values, int offset, int count) {
        for (int i = 0; i < count; i++) {
            if (!Float.isFinite(values[offset + i])) {
                return i;
            }
        }
        return -1;
    }
}

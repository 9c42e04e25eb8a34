package dev.tidestream.model.format.base;

import java.lang.foreign.MemorySegment;

/** Encodes floats into panels, with the bits of ggml's reference where a format says so. Has buffers; one thread. */
@FunctionalInterface
public interface RowEncoder {
    /**
     * Encodes some columns of one row. A value that is too large for the format is stored as an infinite element or scale.
     *
     * @param panel where the panel begins in {@code data}
     * @param fromColumn first column, which begins a unit
     * @param width columns: one unit, or some elements of a format without blocks
     * @param in finite values from 0
     * @return how many elements (of a quantised format: whether the unit) have other bits than before
     */
    int write(MemorySegment data, long panel, int lane, int fromColumn, int width, float[] in);
}

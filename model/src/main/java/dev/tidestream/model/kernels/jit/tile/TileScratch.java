package dev.tidestream.model.kernels.jit.tile;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.format.base.PanelTile;
import dev.tidestream.model.kernels.jit.base.ScratchLayout;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/** What a call of a tile kernel needs, for one thread, at the offsets that {@link TileEmitter} writes into code. */
final class TileScratch {
    /** Bytes of a float for each row of a panel. */
    static final int ROW_BYTES = ROWS * Float.BYTES;

    private static final ScratchLayout LAYOUT = ScratchLayout.of(
            ScratchLayout.room("tile", BLOCK * ROW_BYTES),
            ScratchLayout.room("d", ROW_BYTES),
            ScratchLayout.room("m", ROW_BYTES),
            ScratchLayout.room("scales", 2 * ROW_BYTES),
            ScratchLayout.room("mins", 2 * ROW_BYTES),
            ScratchLayout.room("sum_factors", 2 * ROW_BYTES),
            ScratchLayout.room("min_factors", ROW_BYTES),
            ScratchLayout.room("min_scales", 2 * ROW_BYTES),
            ScratchLayout.room("x_row", BLOCK * Float.BYTES),
            ScratchLayout.floats("minus_32nd"),
            ScratchLayout.floats("unused"),
            ScratchLayout.longs("records"),
            ScratchLayout.longs("values_offset"),
            ScratchLayout.longs("values_stride"),
            ScratchLayout.longs("rows"),
            ScratchLayout.longs("sums"));

    /** (32 columns, 4 groups of rows, 8) floats. */
    static final int TILE = LAYOUT.offset("tile");
    /** (32) floats in row order, as in {@link PanelTile}; so are the three that follow. */
    static final int D = LAYOUT.offset("d");
    static final int M = LAYOUT.offset("m");
    /** (2, 32) floats. */
    static final int SCALES = LAYOUT.offset("scales");
    static final int MINS = LAYOUT.offset("mins");
    /** (2, 4 groups, 8) floats: what sums of columns are multiplied with, of columns 0–15 and 16–31. */
    static final int SUM_FACTORS = LAYOUT.offset("sum_factors");
    /** (4 groups, 8) floats: what sums of minima are multiplied with. */
    static final int MIN_FACTORS = LAYOUT.offset("min_factors");
    /** (2, 4 groups, 8) floats: minima of columns 0–15 and 16–31. */
    static final int MIN_SCALES = LAYOUT.offset("min_scales");
    /** 32 floats: the quants of a row of activations. */
    static final int X_ROW = LAYOUT.offset("x_row");
    /** The float -1/32. */
    static final int MINUS_32ND = LAYOUT.offset("minus_32nd");
    /** Address of the records of a block, row after row. */
    static final int RECORDS = LAYOUT.offset("records");
    /** Bytes from the beginning of the array to the block's columns of the first row. */
    static final int VALUES_OFFSET = LAYOUT.offset("values_offset");
    /** Bytes from one row of the array to the next. */
    static final int VALUES_STRIDE = LAYOUT.offset("values_stride");
    /** Rows of activations, at least 1. */
    static final int ROW_COUNT = LAYOUT.offset("rows");
    /** Address of the sums, (rows, 4 groups, 8) floats. */
    static final int SUMS = LAYOUT.offset("sums");

    private static final int ALIGNMENT = 64;

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment memory = arena.allocate(LAYOUT.bytes(), ALIGNMENT);
    private final PanelTile block = new PanelTile();
    private final MemorySegment quants = MemorySegment.ofArray(block.quants);
    private MemorySegment sums = MemorySegment.NULL;

    TileScratch() {
        memory.set(ValueLayout.JAVA_FLOAT, MINUS_32ND, -1f / 32);
    }

    MemorySegment memory() {
        return memory;
    }

    /** What a format unpacks into. */
    PanelTile block() {
        return block;
    }

    /** Its integers. */
    MemorySegment quants() {
        return quants;
    }

    /** Takes scales and minima over from {@link #block}. */
    void takeScales() {
        copy(block.d, D);
        copy(block.m, M);
        copy(block.scales, SCALES);
        copy(block.mins, MINS);
    }

    private void copy(float[] from, int to) {
        MemorySegment.copy(from, 0, memory, ValueLayout.JAVA_FLOAT, to, from.length);
    }

    void set(int argument, long value) {
        memory.set(ValueLayout.JAVA_LONG, argument, value);
    }

    /** Sums of so many rows, all 0. */
    MemorySegment clearedSums(int rows) {
        long bytes = (long) rows * ROW_BYTES;
        if (sums.byteSize() < bytes) {
            sums = arena.allocate(bytes, ALIGNMENT);
        } else {
            sums.asSlice(0, bytes).fill((byte) 0);
        }
        set(SUMS, sums.address());
        set(ROW_COUNT, rows);
        return sums;
    }
}

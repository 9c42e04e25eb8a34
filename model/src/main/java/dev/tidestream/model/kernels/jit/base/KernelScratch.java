package dev.tidestream.model.kernels.jit.base;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

import dev.tidestream.model.format.base.PanelLayout;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/**
 * What a call of a generated kernel needs, for one thread: its arguments, constants, a tile of weights and sums. The emitters write
 * these offsets into code.
 */
public final class KernelScratch {
    private static final int GROUPS_OF_FLOATS = ROWS * Float.BYTES;
    /** Bytes up to the next cache line, which the tile of floats begins. */
    private static final int PADDING = 56;

    private static final ScratchLayout LAYOUT = ScratchLayout.of(
            ScratchLayout.room("tile", PanelLayout.BLOCK * ROWS),
            ScratchLayout.room("scales", GROUPS_OF_FLOATS),
            ScratchLayout.room("min_scales", GROUPS_OF_FLOATS),
            ScratchLayout.room("factors", GROUPS_OF_FLOATS),
            ScratchLayout.room("factors_2", GROUPS_OF_FLOATS),
            ScratchLayout.room("minima", GROUPS_OF_FLOATS),
            MemoryLayout.unionLayout( // int8 kernels have halves of blocks, float kernels sums of one row
                    ScratchLayout.room("halves", 2 * GROUPS_OF_FLOATS),
                    ScratchLayout.room("row_sums", GROUPS_OF_FLOATS)),
            MemoryLayout.structLayout(constants()),
            ScratchLayout.longs("panel"),
            MemoryLayout.unionLayout( // a kernel multiplies or quantises
                    MemoryLayout.structLayout(
                            ScratchLayout.longs("records"), ScratchLayout.longs("row_count"), ScratchLayout.longs("pair_count")),
                    MemoryLayout.structLayout(
                            ScratchLayout.longs("block_count"), ScratchLayout.longs("values_offset"), ScratchLayout.longs("record_stride"),
                            ScratchLayout.longs("least_magnitude"))),
            ScratchLayout.longs("units"),
            ScratchLayout.longs("sums"),
            ScratchLayout.longs("out_offset"),
            ScratchLayout.longs("out_stride"),
            ScratchLayout.longs("values"),
            ScratchLayout.longs("values_stride"),
            ScratchLayout.longs("panels"),
            ScratchLayout.longs("out"),
            ScratchLayout.longs("first_values"),
            ScratchLayout.longs("four_count"),
            ScratchLayout.longs("units_left"),
            ScratchLayout.longs("column_blocks"),
            ScratchLayout.longs("block_columns"),
            ScratchLayout.longs("block_values"),
            ScratchLayout.longs("block"),
            ScratchLayout.longs("first_row"),
            MemoryLayout.paddingLayout(PADDING),
            ScratchLayout.room("float_tile", PanelLayout.BLOCK * GROUPS_OF_FLOATS),
            MemoryLayout.structLayout(tables()));

    /** (8 quads of columns, 4 groups of rows, 32 bytes): the integers of a block. */
    public static final int TILE = LAYOUT.offset("tile");
    /** (4, 8) floats: scales. */
    public static final int SCALES = LAYOUT.offset("scales");
    /** (4, 8) floats: scales of minima. */
    public static final int MIN_SCALES = LAYOUT.offset("min_scales");
    /** (4, 16) words, or (2, 16) floats: what sums of a block's columns 0–15 are multiplied with, or of all its columns. */
    public static final int FACTORS = LAYOUT.offset("factors");
    /** The same of columns 16–31. */
    public static final int FACTORS_2 = LAYOUT.offset("factors_2");
    /** (4, 8) floats: minima. */
    public static final int MINIMA = LAYOUT.offset("minima");
    /** (2 rows of x, 4, 8) ints, or floats: sums of columns 0–15, times their factor; or chain a. */
    public static final int HALVES = LAYOUT.offset("halves");
    /** (4, 8) floats: the sums of the only row. */
    public static final int ROW_SUMS = LAYOUT.offset("row_sums");
    /** Address of the first panel. */
    public static final int PANEL = LAYOUT.offset("panel");
    /** Address of the {@link ActivationRecord}s of the first row. */
    public static final int RECORDS = LAYOUT.offset("records");
    /** Rows of x. */
    public static final int ROW_COUNT = LAYOUT.offset("row_count");
    /** Pairs of rows of x. */
    public static final int PAIR_COUNT = LAYOUT.offset("pair_count");
    /** Blocks or super-blocks of a row. */
    public static final int UNITS = LAYOUT.offset("units");
    /** Address of sums of many rows, (rows, 32) floats. */
    public static final int SUMS = LAYOUT.offset("sums");
    /** Bytes from the beginning of out to the first result. */
    public static final int OUT_OFFSET = LAYOUT.offset("out_offset");
    /** Bytes of a row of out. */
    public static final int OUT_STRIDE = LAYOUT.offset("out_stride");
    /** Address of the next rows of floats. */
    public static final int VALUES = LAYOUT.offset("values");
    /** Bytes from one row of floats to the next. */
    public static final int VALUES_STRIDE = LAYOUT.offset("values_stride");
    /** Panels to go, one behind the other. */
    public static final int PANELS = LAYOUT.offset("panels");
    /** Address of the panel's sums. */
    public static final int OUT = LAYOUT.offset("out");
    /** Where the rows of floats begin, for every panel. */
    public static final int FIRST_VALUES = LAYOUT.offset("first_values");
    /** Rows of floats, four at a time. */
    public static final int FOUR_COUNT = LAYOUT.offset("four_count");
    /** Units to go. */
    public static final int UNITS_LEFT = LAYOUT.offset("units_left");
    /** Columns of plain floats are multiplied in so many blocks. */
    public static final int COLUMN_BLOCKS = LAYOUT.offset("column_blocks");
    /** Columns of such a block. */
    public static final int BLOCK_COLUMNS = LAYOUT.offset("block_columns");
    /** Bytes of a row of x that such a block takes. */
    public static final int BLOCK_VALUES = LAYOUT.offset("block_values");
    /** Where the block begins in the panel. */
    public static final int BLOCK = LAYOUT.offset("block");
    /** Where the first of some rows of floats is. */
    public static final int FIRST_ROW = LAYOUT.offset("first_row");
    /** Blocks to quantise. */
    public static final int BLOCK_COUNT = LAYOUT.offset("block_count");
    /** Bytes from the beginning of the array to the values of the first block to quantise. */
    public static final int VALUES_OFFSET = LAYOUT.offset("values_offset");
    /** Bytes from one record to the next. */
    public static final int RECORD_STRIDE = LAYOUT.offset("record_stride");
    /** What the largest magnitude of a block counts for at least: a float. */
    public static final int LEAST_MAGNITUDE = LAYOUT.offset("least_magnitude");
    /** (32 columns, 4 groups of rows, 8) floats: the integers of a block; or the first chains of four rows. */
    public static final int FLOAT_TILE = LAYOUT.offset("float_tile");
    private static final int ALIGNMENT = 64;
    private static final int KNOWN_ARRAYS = 16;

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment memory = arena.allocate(LAYOUT.bytes(), ALIGNMENT);
    private MemorySegment sums = MemorySegment.NULL;
    private MemorySegment spare = MemorySegment.NULL;
    private final float[][] arrays = new float[KNOWN_ARRAYS][]; // lately handed over
    private final MemorySegment[] segments = new MemorySegment[KNOWN_ARRAYS]; // of arrays
    private int oldest;

    /** With all constants and tables in their places. */
    public KernelScratch() {
        for (VectorConstant constant : VectorConstant.values()) {
            MemorySegment half = MemorySegment.ofArray(constant.half());
            memory.asSlice(constant.offset()).copyFrom(half);
            memory.asSlice(constant.offset() + half.byteSize()).copyFrom(half);
        }
        for (WideTable table : WideTable.values()) {
            memory.asSlice(table.offset()).copyFrom(MemorySegment.ofArray(table.bytes()));
        }
    }

    private static MemoryLayout[] constants() {
        return Arrays.stream(VectorConstant.values())
                .map(constant -> ScratchLayout.room(constant.name(), VectorConstant.BYTES)).toArray(MemoryLayout[]::new);
    }

    private static MemoryLayout[] tables() {
        return Arrays.stream(WideTable.values())
                .map(table -> ScratchLayout.room(table.name(), WideTable.VECTOR_BYTES)).toArray(MemoryLayout[]::new);
    }

    static int offset(VectorConstant constant) {
        return LAYOUT.offset(constant.name());
    }

    static int offset(WideTable table) {
        return LAYOUT.offset(table.name());
    }

    /** What programs are given the address of. */
    public MemorySegment memory() {
        return memory;
    }

    /** Sets an argument, at its offset. */
    public void set(int argument, long value) {
        memory.set(ValueLayout.JAVA_LONG, argument, value);
    }

    /** Room for the sums of so many rows, (rows, 32); what is there is not cleared. */
    public long sums(int rows) {
        sums = grown(sums, (long) rows * ROWS * Float.BYTES);
        return sums.address();
    }

    /** Room for the sums of a panel that is not full, (rows, 32). */
    public MemorySegment spare(int rows) {
        spare = grown(spare, (long) rows * ROWS * Float.BYTES);
        return spare;
    }

    /** An array as a segment, the same one for an array that comes again: a decode step hands the same dozen over, hundreds of times. */
    public MemorySegment floats(float[] array) {
        for (int i = 0; i < KNOWN_ARRAYS; i++) {
            if (arrays[i] == array) {
                return segments[i];
            }
        }
        MemorySegment segment = MemorySegment.ofArray(array);
        arrays[oldest] = array;
        segments[oldest] = segment;
        oldest = (oldest + 1) % KNOWN_ARRAYS;
        return segment;
    }

    private MemorySegment grown(MemorySegment memory, long bytes) {
        return memory.byteSize() < bytes ? arena.allocate(bytes, ALIGNMENT) : memory;
    }
}

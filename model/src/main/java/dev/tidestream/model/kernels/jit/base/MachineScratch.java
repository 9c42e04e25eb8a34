package dev.tidestream.model.kernels.jit.base;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.format.base.PanelLayout;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/**
 * What a call of a machine program needs, for one thread: its arguments, constants, a tile of weights and sums. The offsets are
 * those that {@code MachineWriter}, {@code WideWriter}, {@code FloatWriter} and {@code RecordWriter} write into code.
 */
public final class MachineScratch {
    /** (8 quads of columns, 4 groups of rows, 32 bytes): the integers of a block. */
    public static final int TILE = 0;
    /** (4, 8) floats: scales. */
    public static final int SCALES = 1024;
    /** (4, 8) floats: scales of minima. */
    public static final int MIN_SCALES = 1152;
    /** (4, 16) words, or (2, 16) floats: what sums of a block's columns 0–15 are multiplied with, or of all its columns. */
    public static final int FACTORS = 1280;
    /** The same of columns 16–31. */
    public static final int FACTORS_2 = 1408;
    /** (4, 8) floats: minima. */
    public static final int MINIMA = 1536;
    /** (2 rows of x, 4, 8) ints: sums of columns 0–15, times their factor; or floats, the sums of one row. */
    public static final int HALVES = 1664;
    /** Constants of 32 bytes. */
    static final int CONSTANTS = 1920;
    /** Addresses and counts. */
    static final int ARGUMENTS = CONSTANTS + MachineConstant.ROOM_BYTES;
    public static final int PANEL = ARGUMENTS;
    /** Records of codes. */
    public static final int RECORDS = ARGUMENTS + 8;
    public static final int ROW_COUNT = ARGUMENTS + 16;
    public static final int PAIR_COUNT = ARGUMENTS + 24;
    public static final int UNITS = ARGUMENTS + 32;
    public static final int SUMS = ARGUMENTS + 40;
    public static final int OUT_OFFSET = ARGUMENTS + 48;
    public static final int OUT_STRIDE = ARGUMENTS + 56;
    /** Rows of floats, and how many bytes lie between two. */
    public static final int VALUES = ARGUMENTS + 64;
    public static final int VALUES_STRIDE = ARGUMENTS + 72;
    /** Panels to go, one behind the other, and where the next one's sums go. */
    public static final int PANELS = ARGUMENTS + 80;
    public static final int OUT = ARGUMENTS + 88;
    /** Where the rows of floats begin, for every panel. */
    public static final int FIRST_VALUES = ARGUMENTS + 96;
    /** Rows of floats, four at a time. */
    public static final int FOUR_COUNT = ARGUMENTS + 104;
    public static final int UNITS_LEFT = ARGUMENTS + 112;
    /** Columns of plain floats are multiplied in so many blocks, of so many columns; the bytes of a row of x that a block takes. */
    public static final int COLUMN_BLOCKS = ARGUMENTS + 120;
    public static final int BLOCK_COLUMNS = ARGUMENTS + 128;
    public static final int BLOCK_VALUES = ARGUMENTS + 136;
    /** Where the block begins in the panel, and where the first of some rows of floats is. */
    public static final int BLOCK = ARGUMENTS + 144;
    public static final int FIRST_ROW = ARGUMENTS + 152;
    /** Blocks to quantise, where the first one's values lie, and how many bytes are between two records; instead of what multiplies. */
    public static final int BLOCK_COUNT = ARGUMENTS + 8;
    public static final int VALUES_OFFSET = ARGUMENTS + 16;
    public static final int RECORD_STRIDE = ARGUMENTS + 24;
    /** What the largest magnitude of a block counts for at least: a float. */
    public static final int LEAST_MAGNITUDE = ARGUMENTS + 32;
    /** (32 columns, 4 groups of rows, 8) floats: the integers of a block; or the first chains of four rows. */
    public static final int FLOAT_TILE = ARGUMENTS + 192;
    /** {@link WideTable}s. */
    static final int TABLES = FLOAT_TILE + PanelLayout.BLOCK * ROWS * Float.BYTES;
    private static final int BYTES = TABLES + WideTable.ALL_BYTES;
    private static final int ALIGNMENT = 64;
    private static final int KNOWN_ARRAYS = 16;

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment memory = arena.allocate(BYTES, ALIGNMENT);
    private MemorySegment sums = MemorySegment.NULL;
    private MemorySegment spare = MemorySegment.NULL;
    private final float[][] arrays = new float[KNOWN_ARRAYS][]; // lately handed over
    private final MemorySegment[] segments = new MemorySegment[KNOWN_ARRAYS]; // of arrays
    private int oldest;

    /** With all constants and tables in their places. */
    public MachineScratch() {
        for (MachineConstant constant : MachineConstant.values()) {
            MemorySegment half = MemorySegment.ofArray(constant.half());
            memory.asSlice(constant.offset()).copyFrom(half);
            memory.asSlice(constant.offset() + half.byteSize()).copyFrom(half);
        }
        for (WideTable table : WideTable.values()) {
            memory.asSlice(table.offset()).copyFrom(MemorySegment.ofArray(table.bytes()));
        }
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

package dev.tidestream.model.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.kernels.jit.MachineKernels;
import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.kernels.vector.base.VectorQuantiser;

/**
 * The right-hand side of a multiply: up to {@code maxRows} rows of float32 and, for quantised weights, the same rows as int8
 * codes with one scale per block of 32. Reused from pass to pass; the owner fills it, then any thread may read it.
 *
 * <p>A block's codes are {@code q = rint(x * (127 / max|x|))}, its scale {@code max|x| / 127}, as in llama.cpp's Q8_0 but with
 * the scale kept in float32. The integer dot product of a block is at most 32 · 128 · 127 &lt; 2^24 and therefore exact in an
 * int, in a float, and (for Q4_0) in 16 bits: kernels may choose. Quantising is done here, by machine code or
 * in the Vector API, with the same bits: it depends on the row alone.
 *
 * <p>Codes of many rows lie in groups of {@value #GROUP} rows, the group's blocks one behind the other: a kernel goes through the
 * blocks of a group with tiles that stay in the first-level cache, so it reads codes, scales and sums front to back. One row is a
 * group of its own.
 * <pre>
 * group 0: | block 0: row 0, row 1, row 2, row 3 | block 1: row 0 … | …    32 codes each; the last group has room for 4, too
 * group 1: | block 0: row 4, row 5, row 6, row 7 | …
 * </pre>
 *
 * <p>That is what the Vector API's kernels read. Machine code reads {@link ActivationRecord}s, made by a program of its own; where
 * there is machine code, the others are made from when a kernel asks for them.
 */
public final class Activations {
    /** Rows of a group. */
    public static final int GROUP = 4;

    private static final int[] NONE = {};
    private static final float[] NO_FLOATS = {};

    /** Rows beyond which there are no {@link #lineCodes}: a multiple of the group. */
    public static final int LINE_ROWS = 16;

    private static final int QUANTISE_GRAIN = 32; // blocks of four rows

    private final int maxRows;
    private final int columns;
    private final int blocks; // columns / 32, or 0
    private final float[] values; // (maxRows, columns)
    private int[] codePairs = NONE; // (columns), of a single row: code in both 16-bit halves
    private int[] columnPairs = NONE; // (groups, columns / 32, 4, 16) codes of columns 2i and 2i + 1 in the two 16-bit halves
    private int[] lineCodes = NONE; // (groups, columns / 32, 4, 2, 16) of at most LINE_ROWS rows, see lineCodes()
    private float[] codes = NO_FLOATS; // (groups, columns / 32, 4, 32) code as float
    private float[] scales = NO_FLOATS; // (groups, columns / 32, 4)
    private int[] sums = NONE; // (groups, columns / 32, 4) sum of the codes of a block
    private float[] minusSums = NO_FLOATS; // (groups, columns / 32, 4) the same as a float, negative
    private final MemorySegment records; // (columns / 32, rows, an even number or 1) ActivationRecord, or empty
    private final @Nullable MachineKernels machine; // which makes the records
    private int rows;
    private boolean quantised;
    private boolean formsWanted; // by a kernel that is no machine code
    private volatile boolean formsMade;

    /** @param columns input features; a multiple of 32 if {@link #quantise} is going to be called */
    public Activations(int maxRows, int columns) {
        this.maxRows = maxRows;
        this.columns = columns;
        this.blocks = columns % PanelLayout.BLOCK == 0 ? columns / PanelLayout.BLOCK : 0;
        this.values = new float[Math.multiplyExact(maxRows, columns)];
        this.machine = MachineKernels.instance().orElse(null);
        this.records = blocks == 0 || machine == null ? MemorySegment.NULL
                : Arena.ofAuto().allocate((long) even(maxRows) * blocks * ActivationRecord.BYTES, ActivationRecord.BYTES);
        if (machine == null) {
            wantForms();
        }
    }

    private void wantForms() {
        int room = blocks == 0 ? 0 : maxRows == 1 ? 1 : Math.ceilDiv(maxRows, GROUP) * GROUP;
        codePairs = new int[blocks == 0 ? 0 : columns];
        columnPairs = new int[Math.multiplyExact(room, columns) / 2];
        lineCodes = new int[maxRows == 1 ? 0 : Math.min(room, LINE_ROWS) * columns];
        codes = new float[room * columns];
        scales = new float[room * blocks];
        sums = new int[room * blocks];
        minusSums = new float[room * blocks];
        formsWanted = true;
    }

    /**
     * Machine code reads records alone. The first kernel that wants something else (a format without a program) makes that here, on
     * its thread; from then on it is made with the records.
     */
    private void needForms() {
        if (formsMade || !quantised) {
            return;
        }
        synchronized (this) {
            if (formsMade) {
                return;
            }
            if (!formsWanted) {
                wantForms();
            }
            for (int b = 0; b < rows; b++) {
                for (int block = 0; block < blocks; block++) {
                    makeForms(b, block);
                }
            }
            formsMade = true;
        }
    }

    /** Says how many rows are about to be filled; what was quantised before is void. */
    public void reset(int newRows) {
        if (newRows < 1 || newRows > maxRows) {
            throw new IllegalArgumentException("rows=%d, maxRows=%d".formatted(newRows, maxRows));
        }
        rows = newRows;
        quantised = false;
        formsMade = false;
    }

    public int rows() {
        return rows;
    }

    public int columns() {
        return columns;
    }

    /** The rows {@code (maxRows, columns)}, to be filled after {@link #reset}. */
    public float[] values() {
        return values;
    }

    /** Whether kernels for quantised weights are to use the int8 codes. */
    public boolean quantised() {
        return quantised;
    }

    /** Quantises all rows, split over the team. Values stay as they are until the last kernel has read what is made of them. */
    public void quantise(WorkerTeam team) {
        if (blocks == 0) {
            throw new IllegalStateException("columns=%d is no multiple of %d".formatted(columns, PanelLayout.BLOCK));
        }
        if (rows == 1) {
            quantiseBlocks(0, blocks);
            markQuantised();
            return;
        }
        if (machine != null) {
            team.forEachRange(rows, 1, (from, to) -> {
                for (int b = from; b < to; b++) {
                    makeRecords(machine, b, 0, blocks);
                }
            });
        }
        if (formsWanted) {
            makeForms(team);
        }
        markQuantised();
    }

    private void makeForms(WorkerTeam team) {
        // A thread takes all rows of a block: neighbours in a group share cache lines.
        team.forEachRange(Math.ceilDiv(rows, GROUP) * blocks, QUANTISE_GRAIN, (from, to) -> {
            for (int i = from; i < to; i++) {
                int first = i / blocks * GROUP;
                for (int b = first; b < Math.min(first + GROUP, rows); b++) {
                    makeForms(b, i % blocks);
                }
            }
        });
    }

    /** Quantises some blocks of a single row. After all of them, on whatever threads, comes {@link #markQuantised}. */
    void quantiseBlocks(int from, int to) {
        if (machine != null) {
            makeRecords(machine, 0, from, to);
        }
        for (int block = from; block < to && formsWanted; block++) {
            makeForms(0, block);
        }
    }

    void markQuantised() {
        formsMade = formsWanted;
        quantised = true;
    }

    private void makeRecords(MachineKernels maker, int b, int from, int to) {
        long stride = (long) even(rows) * ActivationRecord.BYTES;
        maker.quantise(values, b * columns + from * PanelLayout.BLOCK, records, from * stride + (long) b * ActivationRecord.BYTES,
                to - from, stride);
    }

    private void makeForms(int b, int block) {
        int from = b * columns + block * PanelLayout.BLOCK;
        int to = codesAt(b, block);
        float max = VectorQuantiser.largest(values, from);
        float toCode = max == 0f ? 0f : 127f / max;
        if (toCode == Float.POSITIVE_INFINITY) { // a block of subnormals
            toCode = 0f;
        }
        int sum = VectorQuantiser.codes(values, from, toCode, codes, columnPairs, to);
        if (rows == 1) {
            for (int j = 0; j < PanelLayout.BLOCK; j++) {
                int code = (int) codes[to + j];
                codePairs[to + j] = (code & 0xffff) | (code << 16);
            }
        } else if (rows <= LINE_ROWS) {
            VectorQuantiser.lines(codes, lineCodes, to);
        }
        scales[blockAt(b, block)] = max / 127f;
        sums[blockAt(b, block)] = sum;
        minusSums[blockAt(b, block)] = -sum;
    }

    /** Machine programs take rows two at a time, if there is more than one. */
    private static int even(int rows) {
        return rows == 1 ? 1 : rows + (rows & 1);
    }

    /** {@link ActivationRecord}s: (columns / 32, rows), rows an even number if there is more than one; empty without machine code. */
    public MemorySegment records() {
        return records;
    }

    /** The code of column {@code k} of row {@code b}. */
    public int code(int b, int k) {
        needForms();
        return (int) codes[codesAt(b, k / PanelLayout.BLOCK) + k % PanelLayout.BLOCK];
    }

    /** Where the 32 codes of a block of row {@code b} begin in {@link #codes}; half of it in {@link #columnPairs}. */
    int codesAt(int b, int block) {
        return blockAt(b, block) * PanelLayout.BLOCK;
    }

    /** Where a block of row {@code b} has its scale and its sum. */
    public int blockAt(int b, int block) {
        return rows == 1 ? block : (b / GROUP * blocks + block) * GROUP + b % GROUP;
    }

    /** The codes of a single row, each in both 16-bit halves. */
    public int[] codePairs() {
        needForms();
        return codePairs;
    }

    public int[] columnPairs() {
        needForms();
        return columnPairs;
    }

    /**
     * The codes of 2 to {@value #LINE_ROWS} rows for lines of nibbles, where byte j holds columns j and j + 16: of each block and
     * row the codes of columns 0–15, then those of columns 16–31 less 16 times those of columns 0–15, each in both 16-bit halves.
     */
    public int[] lineCodes() {
        needForms();
        return lineCodes;
    }

    public float[] codes() {
        needForms();
        return codes;
    }

    public float[] scales() {
        needForms();
        return scales;
    }

    public int[] sums() {
        needForms();
        return sums;
    }

    public float[] minusSums() {
        needForms();
        return minusSums;
    }
}

package dev.tidestream.model.tensor;

/**
 * The right-hand side of a multiply: up to {@code maxRows} rows of float32 and, for quantised weights, the same rows as int8
 * codes with one scale per block of 32. Reused from pass to pass; the owner fills it, then any thread may read it.
 *
 * <p>A block's codes are {@code q = rint(x * (127 / max|x|))}, its scale {@code max|x| / 127}, as in llama.cpp's Q8_0 but with
 * the scale kept in float32. The integer dot product of a block is at most 32 · 128 · 127 &lt; 2^24 and therefore exact in an
 * int, in a float, and (for Q4_0) in 16 bits: kernels may choose. Quantising is done here, once, by one piece of code: it
 * depends on the row alone.
 *
 * <p>Codes lie block by block, all rows of a block together: a kernel goes through all rows with one tile of 32 columns, and rows
 * that are {@code columns} apart would share a few sets of the first-level cache.
 */
public final class Activations {
    private final int maxRows;
    private final int columns;
    private final float[] values; // (maxRows, columns)
    private final int[] codePairs; // (columns / 32, rows, 32) code in both 16-bit halves
    private final float[] codes; // (columns / 32, rows, 32) code as float
    private final float[] scales; // (columns / 32, rows)
    private final int[] sums; // (columns / 32, rows) sum of the codes of a block
    private int rows;
    private boolean quantised;

    /** @param columns input features; a multiple of 32 if {@link #quantise} is going to be called */
    public Activations(int maxRows, int columns) {
        int blocks = columns / PanelLayout.BLOCK;
        boolean whole = columns % PanelLayout.BLOCK == 0;
        this.maxRows = maxRows;
        this.columns = columns;
        this.values = new float[Math.multiplyExact(maxRows, columns)];
        this.codePairs = new int[whole ? maxRows * columns : 0];
        this.codes = new float[whole ? maxRows * columns : 0];
        this.scales = new float[whole ? maxRows * blocks : 0];
        this.sums = new int[whole ? maxRows * blocks : 0];
    }

    /** Says how many rows are about to be filled; what was quantised before is void. */
    public void reset(int newRows) {
        if (newRows < 1 || newRows > maxRows) {
            throw new IllegalArgumentException("rows=%d, maxRows=%d".formatted(newRows, maxRows));
        }
        rows = newRows;
        quantised = false;
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

    /** Quantises all rows, split over the team. */
    public void quantise(WorkerTeam team) {
        if (codePairs.length == 0) {
            throw new IllegalStateException("columns=%d is no multiple of %d".formatted(columns, PanelLayout.BLOCK));
        }
        team.forEachRange(rows * (columns / PanelLayout.BLOCK), 512, (from, to) -> {
            for (int block = from; block < to; block++) {
                quantiseBlock(block);
            }
        });
        quantised = true;
    }

    /** Quantises some blocks of a single row. After all of them, on whatever threads, comes {@link #markQuantised}. */
    void quantiseBlocks(int from, int to) {
        for (int block = from; block < to; block++) {
            quantiseBlock(block);
        }
    }

    void markQuantised() {
        quantised = true;
    }

    private void quantiseBlock(int index) {
        int b = index % rows;
        int block = index / rows;
        int from = b * columns + block * PanelLayout.BLOCK;
        int to = codesAt(b, block);
        float max = 0f;
        for (int j = 0; j < PanelLayout.BLOCK; j++) {
            max = Math.max(max, Math.abs(values[from + j]));
        }
        float toCode = max == 0f ? 0f : 127f / max;
        if (toCode == Float.POSITIVE_INFINITY) { // a block of subnormals
            toCode = 0f;
        }
        int sum = 0;
        for (int j = 0; j < PanelLayout.BLOCK; j++) {
            int code = (int) Math.rint(values[from + j] * toCode);
            codePairs[to + j] = (code & 0xffff) | (code << 16);
            codes[to + j] = code;
            sum += code;
        }
        scales[blockAt(b, block)] = max / 127f;
        sums[blockAt(b, block)] = sum;
    }

    /** Where the 32 codes of a block of row {@code b} begin in {@link #codes} and {@link #codePairs}. */
    int codesAt(int b, int block) {
        return (block * rows + b) * PanelLayout.BLOCK;
    }

    /** From a row's codes to those of the same block of the next row. */
    int codeStride() {
        return PanelLayout.BLOCK;
    }

    /** Where a block of row {@code b} has its scale and its sum. */
    int blockAt(int b, int block) {
        return block * rows + b;
    }

    int[] codePairs() {
        return codePairs;
    }

    float[] codes() {
        return codes;
    }

    float[] scales() {
        return scales;
    }

    int[] sums() {
        return sums;
    }
}

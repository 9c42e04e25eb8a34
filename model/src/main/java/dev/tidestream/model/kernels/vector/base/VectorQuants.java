package dev.tidestream.model.kernels.vector.base;

import dev.tidestream.model.tensor.ActivationEncoding;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.WorkerTeam;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;

/**
 * Quantised activations as the kernels in the Vector API read them. The integer dot product of a block is at most
 * 32 · 128 · 127 &lt; 2^24 and therefore exact in an int, in a float, and (for Q4_0) in 16 bits: kernels may choose.
 *
 * <p>Quants of many rows lie in groups of {@value #GROUP} rows, the group's blocks one behind the other: a kernel goes through
 * the blocks of a group with tiles that stay in the first-level cache, so it reads quants, scales and sums front to back. One row
 * is a group of its own.
 * <pre>
 * group 0: | block 0: row 0, row 1, row 2, row 3 | block 1: row 0 … | …    32 quants each; the last group has room for 4, too
 * group 1: | block 0: row 4, row 5, row 6, row 7 | block 1: row 4 … | …
 * </pre>
 */
public final class VectorQuants implements ActivationEncoding {
    /** Rows of a group. */
    public static final int GROUP = 4;

    /** Rows beyond which there are no {@link #lineQuants}: a multiple of the group. */
    public static final int LINE_ROWS = 16;

    private static final int GRAIN = 32; // blocks of four rows

    private final Activations x;
    private final int blocks;
    private final int[] quantPairs; // (columns), of a single row: quant in both 16-bit halves
    private final int[] columnPairs; // (groups, columns / 32, 4, 16) quants of columns 2i and 2i + 1 in the two 16-bit halves
    private final int[] lineQuants; // (groups, columns / 32, 4, 2, 16) of at most LINE_ROWS rows, see lineQuants()
    private final float[] quants; // (groups, columns / 32, 4, 32) quant as float
    private final float[] scales; // (groups, columns / 32, 4)
    private final int[] sums; // (groups, columns / 32, 4) sum of the quants of a block
    private final float[] minusSums; // (groups, columns / 32, 4) the same as a float, negative

    private VectorQuants(Activations x) {
        this.x = x;
        this.blocks = x.columns() / BLOCK;
        int room = x.maxRows() == 1 ? 1 : Math.ceilDiv(x.maxRows(), GROUP) * GROUP;
        quantPairs = new int[x.columns()];
        columnPairs = new int[Math.multiplyExact(room, x.columns()) / 2];
        lineQuants = new int[x.maxRows() == 1 ? 0 : Math.min(room, LINE_ROWS) * x.columns()];
        quants = new float[room * x.columns()];
        scales = new float[room * blocks];
        sums = new int[room * blocks];
        minusSums = new float[room * blocks];
    }

    /** Those of x. */
    public static VectorQuants of(Activations x) {
        return x.encoding(VectorQuants.class, VectorQuants::new);
    }

    @Override
    public void encode(WorkerTeam team) {
        if (x.rows() == 1) {
            encodeBlocks(0, blocks);
            return;
        }
        // A thread takes all rows of a block: neighbours in a group share cache lines.
        team.forEachRange(Math.ceilDiv(x.rows(), GROUP) * blocks, GRAIN, (from, to) -> {
            for (int i = from; i < to; i++) {
                int first = i / blocks * GROUP;
                for (int b = first; b < Math.min(first + GROUP, x.rows()); b++) {
                    encode(b, i % blocks);
                }
            }
        });
    }

    @Override
    public void encodeBlocks(int fromBlock, int toBlock) {
        for (int block = fromBlock; block < toBlock; block++) {
            encode(0, block);
        }
    }

    private void encode(int b, int block) {
        int from = b * x.columns() + block * BLOCK;
        int to = quantsAt(b, block);
        float max = Math.max(x.leastMagnitude(b), VectorQuantiser.largest(x.values(), from));
        float toQuant = max == 0f ? 0f : 127f / max;
        if (toQuant == Float.POSITIVE_INFINITY) { // a block of subnormals
            toQuant = 0f;
        }
        int sum = VectorQuantiser.quantise(x.values(), from, toQuant, quants, columnPairs, to);
        if (x.rows() == 1) {
            for (int j = 0; j < BLOCK; j++) {
                int quant = (int) quants[to + j];
                quantPairs[to + j] = (quant & 0xffff) | (quant << 16);
            }
        } else if (x.rows() <= LINE_ROWS) {
            VectorQuantiser.lines(quants, lineQuants, to);
        }
        scales[blockAt(b, block)] = max / 127f;
        sums[blockAt(b, block)] = sum;
        minusSums[blockAt(b, block)] = -sum;
    }

    /** Rows of the activations. */
    public int rows() {
        return x.rows();
    }

    /** Columns of the activations. */
    public int columns() {
        return x.columns();
    }

    @Override
    public int quant(int row, int column) {
        return (int) quants[quantsAt(row, column / BLOCK) + column % BLOCK];
    }

    @Override
    public float scale(int row, int block) {
        return scales[blockAt(row, block)];
    }

    /** Where the 32 quants of a block of row {@code b} begin in {@link #quants}; half of it in {@link #columnPairs}. */
    int quantsAt(int b, int block) {
        return blockAt(b, block) * BLOCK;
    }

    /** Where a block of row {@code b} has its scale and its sum. */
    public int blockAt(int b, int block) {
        return x.rows() == 1 ? block : (b / GROUP * blocks + block) * GROUP + b % GROUP;
    }

    /** The quants of a single row, each in both 16-bit halves. */
    public int[] quantPairs() {
        return quantPairs;
    }

    /** Codes of columns 2i and 2i + 1 in the two 16-bit halves: (groups, columns / 32, 4, 16). */
    public int[] columnPairs() {
        return columnPairs;
    }

    /**
     * The quants of 2 to {@value #LINE_ROWS} rows for lines of nibbles, where byte j holds columns j and j + 16: of each block
     * and row the quants of columns 0–15, then those of columns 16–31 less 16 times those of columns 0–15, each in both 16-bit
     * halves.
     */
    public int[] lineQuants() {
        return lineQuants;
    }

    /** Codes as floats: (groups, columns / 32, 4, 32). */
    public float[] quants() {
        return quants;
    }

    /** Scales of blocks: (groups, columns / 32, 4). */
    public float[] scales() {
        return scales;
    }

    /** Sums of the quants of a block: (groups, columns / 32, 4). */
    public int[] sums() {
        return sums;
    }

    /** The same as floats, negative. */
    public float[] minusSums() {
        return minusSums;
    }
}

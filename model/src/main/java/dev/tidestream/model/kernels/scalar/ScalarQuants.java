package dev.tidestream.model.kernels.scalar;

import dev.tidestream.model.tensor.ActivationEncoding;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.WorkerTeam;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;

/**
 * Quantised activations as {@link Kernels#encoding} specifies them, row by row: the oracle of all other encodings. Like the
 * scalar kernels it is slow and simple.
 */
public final class ScalarQuants implements ActivationEncoding {
    private static final float LARGEST = 127f;

    private final Activations x;
    private final int blocks;
    private final byte[] quants; // (maxRows, columns)
    private final float[] scales; // (maxRows, columns / 32)

    private ScalarQuants(Activations x) {
        this.x = x;
        this.blocks = x.columns() / BLOCK;
        this.quants = new byte[x.maxRows() * x.columns()];
        this.scales = new float[x.maxRows() * blocks];
    }

    /** Those of x. */
    public static ScalarQuants of(Activations x) {
        return x.encoding(ScalarQuants.class, ScalarQuants::new);
    }

    @Override
    public void encode(WorkerTeam team) {
        team.forEachRange(x.rows() * blocks, 1, this::encodeRange);
    }

    @Override
    public void encodeBlocks(int fromBlock, int toBlock) {
        encodeRange(fromBlock, toBlock);
    }

    /** Blocks of all rows, one row behind the other. */
    private void encodeRange(int from, int to) {
        for (int block = from; block < to; block++) {
            scales[block] = quantise(x.values(), block * BLOCK, x.leastMagnitude(block / blocks), quants);
        }
    }

    /**
     * One block of 32 values.
     *
     * @param least what the largest magnitude counts for at least
     * @param quants receives 32 of them, at the place of the values
     * @return the scale
     */
    private static float quantise(float[] values, int at, float least, byte[] quants) {
        float largest = least;
        for (int j = at; j < at + BLOCK; j++) {
            largest = Math.max(largest, Math.abs(values[j])); // NaN if one is
        }
        float toQuant = LARGEST / largest;
        for (int j = at; j < at + BLOCK; j++) {
            quants[j] = Float.isFinite(largest) && Float.isFinite(toQuant) ? (byte) Math.rint(values[j] * toQuant) : 0;
        }
        return largest / LARGEST;
    }

    @Override
    public int quant(int row, int column) {
        return quants[row * x.columns() + column];
    }

    @Override
    public float scale(int row, int block) {
        return scales[row * blocks + block];
    }

    /** The sum of the quants of a block. */
    public int sum(int row, int block) {
        int sum = 0;
        for (int j = 0; j < BLOCK; j++) {
            sum += quant(row, block * BLOCK + j);
        }
        return sum;
    }
}

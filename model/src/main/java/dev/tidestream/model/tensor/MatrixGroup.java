package dev.tidestream.model.tensor;

import java.util.Collections;
import java.util.List;

import dev.tidestream.model.format.base.ActivationScaling;
import dev.tidestream.model.format.base.PanelLayout;

/**
 * Matrices with the same input, multiplied in one parallel region (query, key and value; gate and up): a region costs
 * microseconds, and a token crosses about a hundred of them.
 *
 * <p>A matrix may have a bias, which is added to its products by the thread that has just computed them:
 * {@code out[b][row] = product + bias[row]}, rounded once more.
 */
public final class MatrixGroup {
    private static final int PANELS_AT_ONCE = 4; // of the widest kernel of one row; the others do two
    private static final int LEAST_CHUNKS_PER_THREAD = 4;
    private static final float[] NO_BIAS = {};

    private final PanelMatrix[] matrices;
    private final float[][] biases; // (rows) of each matrix, or empty
    private final int[] firstPanel; // (matrices + 1)
    private final int[] firstRow; // (matrices + 1)
    private final boolean quantised;
    private final ActivationScaling activations;

    /** @param matrices at least one, all with the same number of columns */
    public MatrixGroup(List<PanelMatrix> matrices) {
        this(matrices, Collections.nCopies(matrices.size(), NO_BIAS));
    }

    /**
     * With biases.
     *
     * @param matrices at least one, all with the same number of columns
     * @param biases of each matrix as many as it has rows, or none
     */
    public MatrixGroup(List<PanelMatrix> matrices, List<float[]> biases) {
        this.matrices = matrices.toArray(PanelMatrix[]::new);
        this.biases = biases.toArray(float[][]::new);
        this.firstPanel = new int[this.matrices.length + 1];
        this.firstRow = new int[this.matrices.length + 1];
        boolean anyQuantised = false;
        ActivationScaling scaling = ActivationScaling.BLOCK;
        for (int i = 0; i < this.matrices.length; i++) {
            PanelMatrix matrix = this.matrices[i];
            if (matrix.columns() != this.matrices[0].columns()) {
                throw new IllegalArgumentException("columns=%d beside columns=%d"
                        .formatted(matrix.columns(), this.matrices[0].columns()));
            }
            if (this.biases[i].length != 0 && this.biases[i].length != matrix.rows()) {
                throw new IllegalArgumentException("biases=%d of rows=%d".formatted(this.biases[i].length, matrix.rows()));
            }
            firstPanel[i + 1] = firstPanel[i] + matrix.panels();
            firstRow[i + 1] = firstRow[i] + matrix.rows();
            anyQuantised |= matrix.format().quantised();
            if (matrix.format().activations() == ActivationScaling.ROW) {
                scaling = ActivationScaling.ROW;
            }
        }
        this.quantised = anyQuantised;
        this.activations = scaling;
    }

    /** A group of one. */
    public static MatrixGroup of(PanelMatrix matrix) {
        return new MatrixGroup(List.of(matrix));
    }

    /** Whether a matrix can use int8 activations. */
    public boolean quantised() {
        return quantised;
    }

    /** How their input is made int8: by rows if one of the matrices is of a format that asks for that. */
    public ActivationScaling activations() {
        return activations;
    }

    /** Matrix {@code i}. */
    public PanelMatrix matrix(int i) {
        return matrices[i];
    }

    /** Bytes of all matrices. */
    public long bytes() {
        long sum = 0;
        for (PanelMatrix matrix : matrices) {
            sum += matrix.bytes();
        }
        return sum;
    }

    /** Rows of all matrices together. */
    public int rows() {
        return firstRow[matrices.length];
    }

    /**
     * Multiplies all matrices with all rows of x.
     *
     * @param x (b, columns)
     * @param out receives {@code (b, rows of all matrices)} from offset 0: in a row, what each matrix makes stands behind what the one
     *         before makes
     */
    public void multiply(Kernels kernels, WorkerTeam team, Activations x, float[] out) {
        team.forEachRange(firstPanel[matrices.length], grain(firstPanel[matrices.length], team), (from, to) -> {
            for (int i = 0; i < matrices.length; i++) {
                multiply(kernels, i, x, out, rows(), firstRow[i], from, to);
            }
        });
    }

    /**
     * Multiplies all matrices with all rows of x.
     *
     * @param x (b, columns)
     * @param outs one array per matrix, each {@code (b, rows of the matrix)} from offset 0
     */
    public void multiplyEach(Kernels kernels, WorkerTeam team, Activations x, float[]... outs) {
        team.forEachRange(firstPanel[matrices.length], grain(firstPanel[matrices.length], team), (from, to) -> {
            for (int i = 0; i < matrices.length; i++) {
                multiply(kernels, i, x, outs[i], matrices[i].rows(), 0, from, to);
            }
        });
    }

    /** What a range of the group's panels has of matrix i. */
    private void multiply(
            Kernels kernels, int i, Activations x, float[] out, int outStride, int outOffset, int fromOfGroup, int toOfGroup) {
        int from = Math.max(fromOfGroup, firstPanel[i]) - firstPanel[i];
        int to = Math.min(toOfGroup, firstPanel[i + 1]) - firstPanel[i];
        if (from < to) {
            kernels.multiply(matrices[i], x, out, outStride, outOffset, from, to);
            addBias(i, x.rows(), out, outStride, outOffset, from, to);
        }
    }

    private void addBias(int i, int count, float[] out, int outStride, int outOffset, int fromPanel, int toPanel) {
        float[] bias = biases[i];
        if (bias.length == 0) {
            return;
        }
        int first = fromPanel * PanelLayout.ROWS;
        int last = Math.min(toPanel * PanelLayout.ROWS, bias.length);
        for (int b = 0; b < count; b++) {
            int at = outOffset + b * outStride;
            for (int row = first; row < last; row++) {
                out[at + row] += bias[row];
            }
        }
    }

    /**
     * A single row through this group's gate and up, or through up alone, and the activation function, in one region: what comes out of
     * some panels is activated and quantised by the thread that has just computed it. Bits are those of {@link #multiplyEach},
     * {@link Kernels#gate} or {@link Kernels#activate}, and {@link Activations#quantise} one after the other.
     *
     * @param x (1, columns)
     * @param gate receives (rows) of the first matrix; may be the values of {@code activated}
     * @param up receives (rows) of the second matrix, if there is one
     * @param activated receives (1, rows); reset to one row before
     * @param int8 whether to quantise it, with a scale for each block; rows are a multiple of 32 then
     */
    public void multiplyActivated(
            Kernels kernels, WorkerTeam team, Activations x, ActivationFunction function, float[] gate, float[] up, Activations activated,
            boolean int8) {
        boolean gated = matrices.length > 1;
        int panels = matrices[0].panels();
        if (int8) {
            activated.prepare(kernels);
        }
        team.forEachRange(panels, grain(panels, team), (from, to) -> {
            int first = from * PanelLayout.ROWS;
            int last = Math.min(to * PanelLayout.ROWS, matrices[0].rows());
            multiply(kernels, 0, x, gate, matrices[0].rows(), 0, from, to);
            if (gated) {
                multiply(kernels, 1, x, up, matrices[1].rows(), 0, panels + from, panels + to);
                kernels.gate(function, gate, up, activated.values(), first, last);
            } else {
                kernels.activate(function, gate, activated.values(), first, last);
            }
            if (int8) {
                activated.quantiseBlocks(from, to);
            }
        });
        if (int8) {
            activated.markQuantised();
        }
    }

    /** Panels of the smallest chunk: as many as a kernel does at once, or half of them if there were not enough chunks. */
    private static int grain(int panels, WorkerTeam team) {
        boolean many = panels >= PANELS_AT_ONCE * LEAST_CHUNKS_PER_THREAD * team.size();
        return many ? PANELS_AT_ONCE : PANELS_AT_ONCE / 2;
    }
}

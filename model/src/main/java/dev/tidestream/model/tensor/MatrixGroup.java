package dev.tidestream.model.tensor;

import java.util.List;

/**
 * Matrices with the same input, multiplied in one parallel region (query, key and value; gate and up): a region costs
 * microseconds, and a token crosses about a hundred of them.
 */
public final class MatrixGroup {
    private static final int PANELS_AT_ONCE = 4; // of the widest kernel of one row; the others do two
    private static final int LEAST_CHUNKS_PER_THREAD = 4;

    private final PanelMatrix[] matrices;
    private final int[] firstPanel; // (matrices + 1)
    private final boolean quantised;

    /** @param matrices at least one, all with the same number of columns */
    public MatrixGroup(List<PanelMatrix> matrices) {
        this.matrices = matrices.toArray(PanelMatrix[]::new);
        this.firstPanel = new int[this.matrices.length + 1];
        boolean anyQuantised = false;
        for (int i = 0; i < this.matrices.length; i++) {
            if (this.matrices[i].columns() != this.matrices[0].columns()) {
                throw new IllegalArgumentException("columns=%d beside columns=%d"
                        .formatted(this.matrices[i].columns(), this.matrices[0].columns()));
            }
            firstPanel[i + 1] = firstPanel[i] + this.matrices[i].panels();
            anyQuantised |= this.matrices[i].format().quantised();
        }
        this.quantised = anyQuantised;
    }

    /** A group of one. */
    public static MatrixGroup of(PanelMatrix matrix) {
        return new MatrixGroup(List.of(matrix));
    }

    /** Whether a matrix can use int8 activations. */
    public boolean quantised() {
        return quantised;
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

    /**
     * Multiplies all matrices with all rows of x.
     *
     * @param x (b, columns)
     * @param outs one array per matrix, each {@code (b, rows of the matrix)} from offset 0
     */
    public void multiply(Kernels kernels, WorkerTeam team, Activations x, float[]... outs) {
        team.forEachRange(firstPanel[matrices.length], grain(firstPanel[matrices.length], team), (from, to) -> {
            for (int i = 0; i < matrices.length; i++) {
                int first = Math.max(from, firstPanel[i]) - firstPanel[i];
                int last = Math.min(to, firstPanel[i + 1]) - firstPanel[i];
                if (first < last) {
                    kernels.multiply(matrices[i], x, outs[i], matrices[i].rows(), 0, first, last);
                }
            }
        });
    }

    /**
     * A single row through gate and up (the two matrices of this group) and SwiGLU, in one region: what comes out of two panels is
     * gated and quantised by the thread that has just computed it. Bits are those of {@link #multiply}, {@link Kernels#swiGlu} and
     * {@link Activations#quantise} one after the other.
     *
     * @param x (1, columns)
     * @param gate receives (rows); may be the values of {@code gated}
     * @param up receives (rows)
     * @param gated receives (1, rows); reset to one row before
     * @param int8 whether to quantise it; rows are a multiple of 32 then
     */
    public void multiplyGated(
            Kernels kernels, WorkerTeam team, Activations x, float[] gate, float[] up, Activations gated, boolean int8) {
        PanelMatrix gates = matrices[0];
        PanelMatrix ups = matrices[1];
        if (int8) {
            gated.prepare(kernels);
        }
        team.forEachRange(gates.panels(), grain(gates.panels(), team), (from, to) -> {
            kernels.multiply(gates, x, gate, gates.rows(), 0, from, to);
            kernels.multiply(ups, x, up, ups.rows(), 0, from, to);
            int last = Math.min(to * PanelLayout.ROWS, gates.rows());
            kernels.swiGlu(gate, up, gated.values(), from * PanelLayout.ROWS, last);
            if (int8) {
                gated.quantiseBlocks(from, to);
            }
        });
        if (int8) {
            gated.markQuantised();
        }
    }

    /** Panels of the smallest chunk: as many as a kernel does at once, or half of them if there were not enough chunks. */
    private static int grain(int panels, WorkerTeam team) {
        boolean many = panels >= PANELS_AT_ONCE * LEAST_CHUNKS_PER_THREAD * team.size();
        return many ? PANELS_AT_ONCE : PANELS_AT_ONCE / 2;
    }
}

package dev.tidestream.model.adapter;

import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.tensor.PanelMatrix;

/** What an adapter makes of one matrix of its base, said as a change of the matrix itself. Valid as long as the adapter is open. */
public sealed interface MatrixChange {
    /** Layer of what is in none. */
    int NO_LAYER = -1;

    /** What the matrix is for. */
    TensorRole role();

    /** Whose it is, or {@link #NO_LAYER}. */
    int layer();

    /**
     * {@code scale * B * A} is added.
     *
     * @param a (rank, in)
     * @param b (out, rank)
     */
    record LowRank(TensorRole role, int layer, float scale, Factor a, Factor b) implements MatrixChange {}

    /**
     * Another matrix takes its place.
     *
     * @param matrix of its shape
     */
    record Replaced(TensorRole role, PanelMatrix matrix) implements MatrixChange {
        @Override
        public int layer() {
            return NO_LAYER;
        }
    }

    /**
     * Rows of some tokens are others.
     *
     * @param tokens ascending; nobody writes to it
     * @param matrix (tokens, H), in their order
     */
    record Rows(TensorRole role, int[] tokens, PanelMatrix matrix) implements MatrixChange {
        @Override
        public int layer() {
            return NO_LAYER;
        }
    }

    /** A factor of a product, row by row. */
    interface Factor {
        int rows();

        int columns();

        /** Reads a row, exactly, into the beginning of {@code out}. */
        void copyRow(int row, float[] out);
    }
}

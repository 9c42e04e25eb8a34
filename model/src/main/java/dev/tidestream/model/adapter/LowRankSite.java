package dev.tidestream.model.adapter;

import java.util.List;

import dev.tidestream.model.tensor.PanelMatrix;

/**
 * All low-rank changes of matrices that share an input. Their first factors stand one below the other in one matrix, so that a small
 * rank does not fill a panel of its own.
 *
 * @param down first factors, (ranks together, in)
 * @param parts what is made of their products
 */
record LowRankSite(PanelMatrix down, List<Part> parts) {
    LowRankSite {
        parts = List.copyOf(parts);
    }

    /**
     * One change.
     *
     * @param up second factor, (rows, rank)
     * @param firstRank where its rank begins among those together
     * @param scale of the product of {@code down}
     * @param output which of the outputs of the site it is added to
     * @param firstRow which element of a row of that output is its first
     */
    record Part(PanelMatrix up, int firstRank, float scale, int output, int firstRow) {
        int rank() {
            return up.columns();
        }
    }
}

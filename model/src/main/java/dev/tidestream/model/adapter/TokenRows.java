package dev.tidestream.model.adapter;

import java.util.Arrays;

import dev.tidestream.model.tensor.PanelMatrix;

/**
 * Rows of some tokens.
 *
 * @param tokens ascending; nobody writes to it
 * @param matrix (tokens, H), in their order
 */
record TokenRows(int[] tokens, PanelMatrix matrix) {
    /** The row of a token; negative if it has none. */
    int rowOf(int token) {
        return Arrays.binarySearch(tokens, token);
    }
}

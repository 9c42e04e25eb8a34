package dev.tidestream.model.adapter;

import dev.tidestream.model.tensor.PanelMatrix;

/** What an adapter makes of the embedding of a token. */
sealed interface LookupChange {
    /**
     * Something is added: {@code up} times the token's row of {@code table}.
     *
     * @param table (V, rank)
     * @param up the second factor, (H, rank), as a part without a first one
     */
    record Added(PanelMatrix table, LowRankSite.Part up) implements LookupChange {}

    /**
     * Another matrix takes its place.
     *
     * @param matrix (V, H)
     */
    record Replaced(PanelMatrix matrix) implements LookupChange {}

    /** Some rows have others in their place. */
    record Rows(TokenRows rows) implements LookupChange {}
}

package dev.tidestream.model.adapter;

import dev.tidestream.model.tensor.PanelMatrix;

/** What an adapter makes of the logits of the base. */
sealed interface HeadChange {
    /** Something is added. */
    record Added(LowRankSite site) implements HeadChange {}

    /**
     * Another matrix takes the place of the head.
     *
     * @param matrix (V, H)
     */
    record Replaced(PanelMatrix matrix) implements HeadChange {}

    /** Logits of some tokens are those of other rows. */
    record Rows(TokenRows rows) implements HeadChange {}
}

package dev.tidestream.model.tied;

/**
 * What comparing two heads has found.
 *
 * @param maxDelta largest difference of two logits
 * @param maxDeltaOverBound largest difference, as a part of what {@link HeadVerifier} allows there; at most 1 is right
 * @param nonFiniteLogits logits that are infinite or no number, in either head; 0 is right
 * @param rows hidden states compared on
 * @param oldNanosPerRow time that a single row takes the old head
 * @param newNanosPerRow time that a single row takes the new head
 */
public record HeadComparison(
        double maxDelta, double maxDeltaOverBound, long nonFiniteLogits, int rows, long oldNanosPerRow, long newNanosPerRow) {

    /** Whether the new head may take the old one's place. */
    public boolean withinBound() {
        return nonFiniteLogits == 0 && maxDeltaOverBound <= 1;
    }
}

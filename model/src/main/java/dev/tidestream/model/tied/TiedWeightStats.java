package dev.tidestream.model.tied;

/**
 * What the two ends of a model cost in memory, in bytes.
 *
 * @param embeddingWeightBytes held in the order (V, H) or in panels: the panels, an output matrix of its own, and the dense
 *        embedding of {@link HeadMode#TRANSPOSE_PER_STEP}
 * @param transposedWeightBytes held in the order (H, V); 0 when packed, since there the panels are the transpose
 * @param optimizationOverhead held beyond one copy: everything but the model's own tensors; 0 when packed
 */
public record TiedWeightStats(long embeddingWeightBytes, long transposedWeightBytes, long optimizationOverhead) {

    /** All that is held. */
    public long totalBytes() {
        return embeddingWeightBytes + transposedWeightBytes;
    }
}

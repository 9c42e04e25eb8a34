package dev.tidestream.model.sampling;

/**
 * Space for choosing one token, up to 20 bytes per token of the vocabulary. Holds nothing between two calls, so all samplers
 * of one thread share one. Allocated when first needed: plain greedy decoding needs none.
 */
public final class SamplerScratch {
    private final int vocabularySize;
    private float[] adjusted = {}; // (vocabulary): logits after bias and penalties
    private long[] keys = {}; // (vocabulary): candidates, see Candidates
    private double[] weights = {}; // (vocabulary): unnormalised probabilities of the candidates

    public SamplerScratch(int vocabularySize) {
        if (vocabularySize < 1) {
            throw new IllegalArgumentException("a vocabulary has tokens: vocabulary=" + vocabularySize);
        }
        this.vocabularySize = vocabularySize;
    }

    int vocabularySize() {
        return vocabularySize;
    }

    float[] adjusted() {
        if (adjusted.length == 0) {
            adjusted = new float[vocabularySize];
        }
        return adjusted;
    }

    long[] keys() {
        if (keys.length == 0) {
            keys = new long[vocabularySize];
        }
        return keys;
    }

    double[] weights() {
        if (weights.length == 0) {
            weights = new double[vocabularySize];
        }
        return weights;
    }
}

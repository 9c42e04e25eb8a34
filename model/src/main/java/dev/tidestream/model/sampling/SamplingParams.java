package dev.tidestream.model.sampling;

import java.util.Map;

/**
 * How the next token is chosen. Applied in this order: logit bias, repetition, presence and frequency penalties, then (for a
 * temperature above 0) top-k, top-p, min-p, temperature, draw.
 *
 * @param temperature 0 for greedy (ties go to the lowest id)
 * @param topK keep the k most likely; 0 keeps all
 * @param topP keep the smallest set whose probability reaches p; 1 keeps all
 * @param minP keep tokens at least this fraction as likely as the most likely one; 0 keeps all
 * @param repetitionPenalty positive logits of tokens seen (prompt or output) are divided by it, negative ones multiplied
 * @param presencePenalty subtracted once from the logit of each token generated so far
 * @param frequencyPenalty subtracted per occurrence from the logit of each token generated so far
 * @param logitBias added to the logit of a token id; keys are ids of the vocabulary
 * @param seed of the random numbers
 * @param topLogprobs -1: none; 0: log-probability of the chosen token; n: also of the n most likely
 */
public record SamplingParams(
        float temperature,
        int topK,
        float topP,
        float minP,
        float repetitionPenalty,
        float presencePenalty,
        float frequencyPenalty,
        Map<Integer, Float> logitBias,
        long seed,
        int topLogprobs) {

    public SamplingParams {
        logitBias = Map.copyOf(logitBias);
    }

    /** Greedy, without penalties or log-probabilities. */
    public static SamplingParams greedy() {
        return new SamplingParams(0f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(), 0L, -1);
    }
}

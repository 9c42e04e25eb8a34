package dev.tidestream.model.sampling;

import java.util.Map;

/**
 * How the next token is chosen. Applied in this order: logit bias, repetition, presence and frequency penalties, then (for a
 * temperature above 0) top-k, top-p, min-p, temperature, draw. So top-p and min-p judge the distribution before the
 * temperature, top-p what top-k left, as in llama.cpp. Between equal logits the lower id counts as the more likely.
 *
 * @param temperature 0 for greedy (ties go to the lowest id), at most {@value #MAX_TEMPERATURE}
 * @param topK keep the k most likely; 0 keeps all
 * @param topP keep the smallest set whose probability reaches p, at least one token; 1 keeps all; more than 0
 * @param minP keep tokens at least this fraction as likely as the most likely one; from 0, which keeps all, to 1
 * @param repetitionPenalty positive logits of tokens seen (prompt or output) are divided by it, negative ones multiplied; 1 is
 *     off, more than 0, at most {@value #MAX_PENALTY}
 * @param presencePenalty subtracted once from the logit of each token generated so far; at most {@value #MAX_PENALTY} either way
 * @param frequencyPenalty subtracted per occurrence from the logit of each token generated so far; at most
 *     {@value #MAX_PENALTY} either way
 * @param logitBias added to the logit of a token id; finite, or -infinity to ban the token; keys are ids of the vocabulary
 * @param seed of the random numbers
 * @param topLogprobs -1: none; 0: log-probability of the chosen token; n: also of the n most likely, at most
 *     {@value #MAX_TOP_LOGPROBS}
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

    public static final int MAX_TEMPERATURE = 100;
    public static final int MAX_PENALTY = 100;
    public static final int MAX_TOP_LOGPROBS = 20;

    /** @throws InvalidSamplingException if a value is out of its range */
    public SamplingParams {
        logitBias = Map.copyOf(logitBias);
        require("temperature", temperature, temperature >= 0 && temperature <= MAX_TEMPERATURE, "from 0 to " + MAX_TEMPERATURE);
        require("top_k", topK, topK >= 0, "at least 0");
        require("top_p", topP, topP > 0 && topP <= 1, "more than 0 and at most 1");
        require("min_p", minP, minP >= 0 && minP <= 1, "from 0 to 1");
        require("repetition_penalty", repetitionPenalty, repetitionPenalty > 0 && repetitionPenalty <= MAX_PENALTY,
                "more than 0 and at most " + MAX_PENALTY);
        requirePenalty("presence_penalty", presencePenalty);
        requirePenalty("frequency_penalty", frequencyPenalty);
        require("logprobs", topLogprobs, topLogprobs >= -1 && topLogprobs <= MAX_TOP_LOGPROBS, "at most " + MAX_TOP_LOGPROBS);
        logitBias.forEach((id, bias) -> {
            if (id < 0 || !(bias < Float.POSITIVE_INFINITY)) {
                throw new InvalidSamplingException(
                        "logit_bias", "must be of finite values (or -infinity) by token id: token=%d, bias=%s".formatted(id, bias));
            }
        });
    }

    private static void requirePenalty(String field, float value) {
        require(field, value, Math.abs(value) <= MAX_PENALTY, "from -%d to %d".formatted(MAX_PENALTY, MAX_PENALTY));
    }

    private static void require(String field, Number value, boolean holds, String range) {
        if (!holds) {
            throw new InvalidSamplingException(field, "must be %s: %s=%s".formatted(range, field, value));
        }
    }

    /** Greedy, without penalties or log-probabilities. */
    public static SamplingParams greedy() {
        return new SamplingParams(0f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(), 0L, -1);
    }
}

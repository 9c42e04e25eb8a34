package dev.tidestream.model.sampling;

/**
 * One chosen token.
 *
 * @param token its id
 * @param logprob natural-log probability under the softmax of the model's unmodified logits; NaN unless asked for
 * @param topTokens ids of the n most likely tokens, most likely first, ties to the lowest id; empty unless asked for
 * @param topLogprobs their log-probabilities
 */
public record Sample(int token, float logprob, int[] topTokens, float[] topLogprobs) {}

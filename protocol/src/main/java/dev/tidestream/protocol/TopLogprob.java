package dev.tidestream.protocol;

/**
 * One candidate of a step.
 *
 * @param token token id
 * @param logprob natural-log probability under the model's full softmax
 */
public record TopLogprob(int token, float logprob) {}

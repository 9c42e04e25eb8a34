package dev.tidestream.protocol;

/**
 * Tokens counted for one stream.
 *
 * @param promptTokens tokens of the prompt, BOS included
 * @param completionTokens tokens generated, an end-of-sequence token included
 */
public record Usage(int promptTokens, int completionTokens) {}

package dev.tidestream.protocol;

/**
 * Tokens counted for one stream.
 *
 * @param promptTokens tokens of the prompt, BOS included
 * @param completionTokens tokens generated, an end-of-sequence token included
 * @param cachedTokens those of the prompt whose keys and values were there already and were not computed for this stream
 */
public record Usage(int promptTokens, int completionTokens, int cachedTokens) {

    /** Of a stream whose whole prompt was computed. */
    public Usage(int promptTokens, int completionTokens) {
        this(promptTokens, completionTokens, 0);
    }
}

package dev.tidestream.model.tuning;

/**
 * Rows of the embedding that are trained.
 *
 * @param tokens which rows they are, ascending
 * @param values {@code (tokens, H)}
 */
public record EmbeddingRows(int[] tokens, Parameter values) {}

package dev.tidestream.model.transformer;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.adapter.Adapter;
import dev.tidestream.model.tensor.Kernels;

/**
 * A model of one weights version: immutable but for its scratch space. One caller at a time (the decode thread).
 */
public interface LanguageModel {

    /** Length of a row of logits. */
    int vocabularySize();

    /** Most positions a sequence may have. */
    int contextLength();

    /** What its KV caches look like. */
    KvCacheShape kvCacheShape();

    /** What it computes with, and what is made of its logits. */
    Kernels kernels();

    /** Most rows (tokens over all slices) one forward pass takes. */
    int maxRows();

    /**
     * Runs the tokens of all slices in one pass, appends their keys and values to the slices' caches, and writes the logits
     * that are asked for. A row's values do not depend on the other slices, nor on how a prompt was cut into passes.
     *
     * @param slices at least one; no cache twice; together at most {@link #maxRows()} tokens
     * @param logits receives {@code (rows asked for, vocabularySize)}, in the order of the slices
     * @return rows of logits written
     * @throws IllegalArgumentException if a token id, a cache or the output does not fit; then nothing was changed
     */
    int forward(List<Slice> slices, float[] logits);

    /**
     * Consecutive tokens of one sequence, to be put behind what its cache holds.
     *
     * @param cache the sequence's state; {@code count} positions longer afterwards
     * @param tokens token ids, read from {@code from} to {@code from + count}
     * @param logits which of these positions need logits
     * @param adapter that they are computed with, of this model's blueprint; null for the base alone
     */
    record Slice(KvCache cache, int[] tokens, int from, int count, LogitsRows logits, @Nullable Adapter adapter) {
        public Slice {
            if (count < 1 || from < 0 || from > tokens.length - count) {
                throw new IllegalArgumentException(
                        "slice out of range: from=%d, count=%d, tokens=%d".formatted(from, count, tokens.length));
            }
        }

        /** Tokens that are computed with the base alone. */
        public Slice(KvCache cache, int[] tokens, int from, int count, LogitsRows logits) {
            this(cache, tokens, from, count, logits, null);
        }
    }

    /** Which positions of a slice need logits. */
    enum LogitsRows {
        /** None: the middle of a prompt. */
        NONE,
        /** The last: what sampling needs. */
        LAST,
        /** All: for evaluation. */
        ALL
    }
}

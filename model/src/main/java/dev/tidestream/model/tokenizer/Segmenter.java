package dev.tidestream.model.tokenizer;

import java.util.function.IntConsumer;

/** Encodes text in which no special token is left. Immutable. */
sealed interface Segmenter permits BytePairSegmenter, SentencePieceSegmenter {

    /**
     * Encodes a part of a text.
     *
     * @param text well-formed, not empty
     * @param first whether nothing, or a special token, stands in front of it
     * @param output receives token ids in order
     */
    void encode(String text, boolean first, IntConsumer output);
}

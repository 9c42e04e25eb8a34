package dev.tidestream.model.tokenizer;

import java.util.function.IntConsumer;

/** Encodes words: text that is normalised and cut, in which no added token is left. Immutable. */
sealed interface Segmenter permits BytePairSegmenter, CharacterPairSegmenter, SentencePieceSegmenter, UnigramSegmenter {

    /**
     * Encodes a word.
     *
     * @param word well-formed, not empty
     * @param output receives token ids in order
     */
    void encode(String word, IntConsumer output);
}

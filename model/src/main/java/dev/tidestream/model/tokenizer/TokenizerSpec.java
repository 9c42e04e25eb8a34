package dev.tidestream.model.tokenizer;

import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A tokenizer's data, checked: every id lies in the vocabulary and every array is as long as it. Keeps the algorithms apart
 * from the file format that the data came from.
 *
 * @param algorithm how text is cut and joined
 * @param tokens texts by id, escaped as the algorithm escapes them {@code (vocabulary)}; nobody changes the list
 * @param scores by id, higher is merged first; for SentencePiece only {@code (vocabulary)}
 * @param types by id {@code (vocabulary)}
 * @param unknown stands for a character that has no token
 * @param endOfGeneration tokens that end generation, apart from those known by their text
 * @param addBos put BOS in front when special tokens are asked for
 * @param addEos put EOS behind when special tokens are asked for
 */
record TokenizerSpec(
        Algorithm algorithm,
        List<String> tokens,
        float[] scores,
        TokenType[] types,
        OptionalInt bos,
        OptionalInt eos,
        OptionalInt unknown,
        Set<Integer> endOfGeneration,
        boolean addBos,
        boolean addEos) {

    sealed interface Algorithm {}

    /**
     * Byte-level BPE.
     *
     * @param merges {@code "left right"}, best first
     */
    record BytePair(PreTokenizer preTokenizer, List<String> merges) implements Algorithm {}

    /**
     * SentencePiece BPE.
     *
     * @param addSpacePrefix a text begins with a space that the caller did not write
     */
    record SentencePiece(boolean addSpacePrefix) implements Algorithm {}
}

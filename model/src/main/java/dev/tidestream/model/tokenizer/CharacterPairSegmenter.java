package dev.tidestream.model.tokenizer;

import java.util.Arrays;
import java.util.OptionalInt;
import java.util.function.IntConsumer;

/**
 * BPE over characters, as Hugging Face has it for SentencePiece vocabularies: each character is a symbol, and merges join them by rank. A
 * character that is no token becomes byte tokens; where the vocabulary lacks those, the unknown token, once for a row of such characters if
 * they are fused.
 */
final class CharacterPairSegmenter implements Segmenter {
    private static final int UNKNOWN = -1;
    private static final int FUSED = -2; // belongs to the unknown token in front of it

    private final Vocabulary vocabulary;
    private final TokenizerSpec.BytePair algorithm;
    private final ByteTokens byteTokens;
    private final OptionalInt unknown;
    private final PairTable merges;

    CharacterPairSegmenter(Vocabulary vocabulary, TokenizerSpec.BytePair algorithm, OptionalInt unknown) {
        this.vocabulary = vocabulary;
        this.algorithm = algorithm;
        this.byteTokens = new ByteTokens(vocabulary);
        this.unknown = unknown;
        this.merges = BytePairSegmenter.mergeTable(vocabulary, algorithm.merges());
    }

    @Override
    public void encode(String word, IntConsumer output) {
        if (algorithm.ignoresMerges() && word.length() <= vocabulary.longestText()) {
            int whole = vocabulary.idOf(word);
            if (whole >= 0) {
                output.accept(whole);
                return;
            }
        }
        int[] symbols = symbols(word);
        int[] next = Merging.run(symbols.length, new MergedTokens(symbols, merges));
        for (int i = symbols.length == 0 ? -1 : 0; i >= 0; i = next[i]) {
            if (symbols[i] >= 0) {
                output.accept(symbols[i]);
            } else if (symbols[i] == UNKNOWN) {
                unknown.ifPresent(output);
            }
        }
    }

    private int[] symbols(String word) {
        int[] symbols = new int[word.length() + 3];
        int count = 0;
        boolean afterUnknown = false;
        for (int at = 0; at < word.length(); ) {
            String character = Character.toString(word.codePointAt(at));
            at += character.length();
            if (count + 4 > symbols.length) {
                symbols = Arrays.copyOf(symbols, 2 * symbols.length);
            }
            int id = vocabulary.idOf(character);
            int[] bytes = id < 0 && algorithm.byteFallback() ? byteTokens.of(character) : ByteTokens.NONE;
            if (id >= 0) {
                symbols[count++] = id;
            } else if (bytes.length > 0) {
                System.arraycopy(bytes, 0, symbols, count, bytes.length);
                count += bytes.length;
            } else {
                symbols[count++] = afterUnknown && algorithm.fusesUnknown() ? FUSED : UNKNOWN;
            }
            afterUnknown = id < 0 && bytes.length == 0;
        }
        return Arrays.copyOf(symbols, count);
    }
}

package dev.tidestream.model.tokenizer;

import java.util.Arrays;
import java.util.OptionalInt;
import java.util.function.IntConsumer;

/**
 * SentencePiece's BPE: each character is a symbol, and two neighbours join when together they are a token, the one of the
 * highest score first. A character that is no token becomes byte tokens; where the vocabulary lacks those, a row of such
 * characters becomes one unknown token.
 */
final class SentencePieceSegmenter implements Segmenter {
    private final Vocabulary vocabulary;
    private final int[] ranks; // by id; 0 for the highest score, equal for equal scores
    private final ByteTokens byteTokens;
    private final OptionalInt unknown;

    SentencePieceSegmenter(Vocabulary vocabulary, float[] scores, OptionalInt unknown) {
        this.vocabulary = vocabulary;
        this.unknown = unknown;
        byteTokens = new ByteTokens(vocabulary);
        ranks = ranks(scores);
    }

    private static int[] ranks(float[] scores) {
        float[] ascending = scores.clone();
        for (int i = 0; i < ascending.length; i++) {
            ascending[i] += 0f; // -0 and 0 are equal scores
        }
        Arrays.sort(ascending);
        int distinct = 0;
        for (int i = 0; i < ascending.length; i++) {
            if (i == 0 || ascending[i] != ascending[i - 1]) {
                ascending[distinct++] = ascending[i];
            }
        }
        int[] ranks = new int[scores.length];
        for (int id = 0; id < ranks.length; id++) {
            ranks[id] = distinct - 1 - Arrays.binarySearch(ascending, 0, distinct, scores[id] + 0f);
        }
        return ranks;
    }

    @Override
    public void encode(String word, IntConsumer output) {
        Text symbols = new Text(word);
        int[] next = Merging.run(symbols.count, symbols);
        boolean afterUnknown = false;
        for (int i = 0; i >= 0; i = next[i]) {
            String piece = symbols.text(i, i);
            int id = vocabulary.idOf(piece);
            if (id >= 0) {
                output.accept(id);
                afterUnknown = false;
            } else {
                afterUnknown = fallBack(piece, afterUnknown, output);
            }
        }
    }

    /** Encodes a character that is no token; whether it ended in an unknown token. */
    private boolean fallBack(String character, boolean afterUnknown, IntConsumer output) {
        int[] bytes = byteTokens.of(character);
        if (bytes.length == 0) {
            if (!afterUnknown) {
                unknown.ifPresent(output);
            }
            return true;
        }
        for (int token : bytes) {
            output.accept(token);
        }
        return false;
    }

    /** The symbols of one text: ranges of it. */
    private final class Text implements Merging.Symbols {
        private final String text;
        private final int count;
        private final int[] starts;
        private final int[] ends;

        Text(String text) {
            this.text = text;
            count = text.codePointCount(0, text.length());
            starts = new int[count];
            ends = new int[count];
            int at = 0;
            for (int i = 0; i < count; i++) {
                starts[i] = at;
                at = text.offsetByCodePoints(at, 1);
                ends[i] = at;
            }
        }

        String text(int left, int right) {
            return text.substring(starts[left], ends[right]);
        }

        @Override
        public int rank(int left, int right) {
            int id = ends[right] - starts[left] > vocabulary.longestText() ? -1 : vocabulary.idOf(text(left, right));
            return id < 0 ? Merging.NO_MERGE : ranks[id];
        }

        @Override
        public void join(int left, int right) {
            ends[left] = ends[right];
        }
    }
}

package dev.tidestream.model.tokenizer;

import java.util.Arrays;
import java.util.OptionalInt;
import java.util.function.IntConsumer;

/**
 * SentencePiece's unigram model: of all ways to write a word as tokens the one whose scores add up to most (Viterbi), of equals the one with
 * the longest token at the end. A character that is no token costs 10 more than the worst token, and becomes byte tokens if there are any;
 * a row of them one unknown token otherwise.
 *
 * <p>A trie over chars finds the tokens that begin at a place, so a word costs its length times that of the longest token.
 */
final class UnigramSegmenter implements Segmenter {
    private static final double UNKNOWN_PENALTY = 10;
    private static final int NONE = -1;

    private final double[] scores;
    private final double unknownScore;
    private final OptionalInt unknown;
    private final ByteTokens byteTokens;
    private final boolean byteFallback;
    private final PairTable trie; // (node, char) → node; the root is 0
    private final int[] tokens; // by node; NONE: no token ends here

    UnigramSegmenter(Vocabulary vocabulary, TokenizerSpec.Unigram algorithm, OptionalInt unknown) {
        this.unknown = unknown;
        this.byteFallback = algorithm.byteFallback();
        byteTokens = new ByteTokens(vocabulary);
        scores = new double[vocabulary.size()];
        double worst = Double.POSITIVE_INFINITY;
        long chars = 0;
        for (int id = 0; id < scores.length; id++) {
            scores[id] = algorithm.scores()[id];
            if (isPiece(vocabulary, id)) {
                worst = Math.min(worst, scores[id]);
                chars += vocabulary.text(id).length();
            }
        }
        unknownScore = (worst == Double.POSITIVE_INFINITY ? 0 : worst) - UNKNOWN_PENALTY;
        trie = new PairTable(chars);
        tokens = new int[Math.toIntExact(chars + 1)];
        Arrays.fill(tokens, NONE);
        int nodes = 1;
        for (int id = 0; id < scores.length; id++) {
            if (isPiece(vocabulary, id)) {
                nodes = plant(vocabulary.text(id), id, nodes);
            }
        }
    }

    private static boolean isPiece(Vocabulary vocabulary, int id) {
        return vocabulary.idOf(vocabulary.text(id)) == id;
    }

    private int plant(String text, int id, int nodes) {
        int node = 0;
        int used = nodes;
        for (int i = 0; i < text.length(); i++) {
            int slot = trie.find(node, text.charAt(i));
            if (slot == PairTable.ABSENT) {
                trie.add(node, text.charAt(i), used, 0);
                node = used++;
            } else {
                node = trie.first(slot);
            }
        }
        tokens[node] = id;
        return used;
    }

    @Override
    public void encode(String word, IntConsumer output) {
        int length = word.length();
        double[] best = new double[length + 1]; // of the ways to here
        int[] from = new int[length + 1]; // where the last token of the best way begins; NONE: no way yet
        int[] last = new int[length + 1]; // that token; NONE: no token
        Arrays.fill(from, NONE);
        for (int at = 0; at < length; at += Character.charCount(word.codePointAt(at))) {
            int single = at + Character.charCount(word.codePointAt(at));
            boolean hasSingle = false;
            int node = 0;
            for (int i = at; i < length; i++) {
                int slot = trie.find(node, word.charAt(i));
                if (slot == PairTable.ABSENT) {
                    break;
                }
                node = trie.first(slot);
                if (tokens[node] != NONE) {
                    offer(best, from, last, at, i + 1, tokens[node], scores[tokens[node]]);
                    hasSingle |= i + 1 == single;
                }
            }
            if (!hasSingle) {
                offer(best, from, last, at, single, NONE, unknownScore);
            }
        }
        emit(word, from, last, output);
    }

    private static void offer(double[] best, int[] from, int[] last, int start, int end, int token, double score) {
        double sum = best[start] + score;
        if (from[end] == NONE || sum > best[end]) {
            best[end] = sum;
            from[end] = start;
            last[end] = token;
        }
    }

    private void emit(String word, int[] from, int[] last, IntConsumer output) {
        int[] ends = new int[word.length()];
        int count = 0;
        for (int end = word.length(); end > 0; end = from[end]) {
            ends[count++] = end;
        }
        int unknownFrom = NONE;
        for (int i = count - 1; i >= 0; i--) {
            if (last[ends[i]] == NONE) {
                unknownFrom = unknownFrom == NONE ? from[ends[i]] : unknownFrom;
                continue;
            }
            emitUnknown(word, unknownFrom, from[ends[i]], output);
            unknownFrom = NONE;
            output.accept(last[ends[i]]);
        }
        emitUnknown(word, unknownFrom, word.length(), output);
    }

    private void emitUnknown(String word, int start, int end, IntConsumer output) {
        if (start == NONE) {
            return;
        }
        int[] bytes = byteFallback ? byteTokens.of(word.substring(start, end)) : ByteTokens.NONE;
        for (int token : bytes) {
            output.accept(token);
        }
        if (bytes.length == 0) {
            unknown.ifPresent(output);
        }
    }
}

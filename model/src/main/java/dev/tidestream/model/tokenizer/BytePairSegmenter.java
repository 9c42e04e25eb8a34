package dev.tidestream.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntConsumer;

import dev.tidestream.model.gguf.GgufException;

/**
 * Byte-level BPE (GPT-2): each byte of a word is a symbol, and merges join them by rank.
 *
 * <p>Works on token ids: every merge joins two tokens into a third, so a symbol is always a token. A byte that has no token is
 * left out, as llama.cpp and Hugging Face do.
 */
final class BytePairSegmenter implements Segmenter {
    private final Vocabulary vocabulary;
    private final boolean ignoresMerges;
    private final int[] byteTokens = new int[256]; // -1: none
    private final PairTable merges; // (left, right) → (rank, joined)

    BytePairSegmenter(Vocabulary vocabulary, List<TokenizerSpec.Merge> merges, boolean ignoresMerges) {
        this.vocabulary = vocabulary;
        this.ignoresMerges = ignoresMerges;
        for (int b = 0; b < 256; b++) {
            byteTokens[b] = vocabulary.idOf(String.valueOf(ByteAlphabet.charOf((byte) b)));
        }
        this.merges = mergeTable(vocabulary, merges);
    }

    /** Merges by pair of tokens: their rank, and the token that comes out. */
    static PairTable mergeTable(Vocabulary vocabulary, List<TokenizerSpec.Merge> merges) {
        PairTable table = new PairTable(merges.size());
        for (int rank = 0; rank < merges.size(); rank++) {
            TokenizerSpec.Merge merge = merges.get(rank);
            table.add(
                    known(vocabulary, merge.left(), rank, merge),
                    known(vocabulary, merge.right(), rank, merge),
                    rank,
                    known(vocabulary, merge.left() + merge.right(), rank, merge));
        }
        return table;
    }

    private static int known(Vocabulary vocabulary, String text, int rank, TokenizerSpec.Merge merge) {
        int id = vocabulary.idOf(text);
        if (id < 0) {
            throw new TokenizerException("tokenizer.ggml.merges[%d]: not a token of the vocabulary: '%s', merge='%s %s'"
                    .formatted(rank, GgufException.quote(text), GgufException.quote(merge.left()), GgufException.quote(merge.right())));
        }
        return id;
    }

    @Override
    public void encode(String word, IntConsumer output) {
        byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
        if (ignoresMerges && bytes.length <= vocabulary.longestText()) {
            int whole = vocabulary.idOf(ByteAlphabet.textOf(bytes));
            if (whole >= 0) {
                output.accept(whole);
                return;
            }
        }
        int[] symbols = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            symbols[i] = byteTokens[bytes[i] & 0xFF];
        }
        int[] next = Merging.run(symbols.length, new MergedTokens(symbols, merges));
        for (int i = 0; i >= 0; i = next[i]) {
            if (symbols[i] >= 0) {
                output.accept(symbols[i]);
            }
        }
    }
}

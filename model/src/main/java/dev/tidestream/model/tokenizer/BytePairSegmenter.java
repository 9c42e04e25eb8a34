package dev.tidestream.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntConsumer;

import dev.tidestream.model.gguf.GgufException;

/**
 * Byte-level BPE (GPT-2): the pre-tokenizer cuts words, each byte of a word is a symbol, and merges join them by rank.
 *
 * <p>Works on token ids: every merge joins two tokens into a third, so a symbol is always a token. A byte that has no token is
 * left out, as llama.cpp and Hugging Face do.
 */
final class BytePairSegmenter implements Segmenter {
    private final Vocabulary vocabulary;
    private final PreTokenizer preTokenizer;
    private final int[] byteTokens = new int[256]; // -1: none
    private final PairTable merges; // (left, right) → (rank, joined)

    BytePairSegmenter(Vocabulary vocabulary, PreTokenizer preTokenizer, List<String> merges) {
        this.vocabulary = vocabulary;
        this.preTokenizer = preTokenizer;
        for (int b = 0; b < 256; b++) {
            byteTokens[b] = vocabulary.idOf(String.valueOf(ByteAlphabet.charOf((byte) b)));
        }
        this.merges = new PairTable(merges.size());
        for (int rank = 0; rank < merges.size(); rank++) {
            addMerge(rank, merges.get(rank));
        }
    }

    private void addMerge(int rank, String merge) {
        int space = merge.indexOf(' ', 1);
        if (space < 0) {
            throw new TokenizerException(
                    "tokenizer.ggml.merges[%d]: expected 'left right': '%s'".formatted(rank, GgufException.quote(merge)));
        }
        String left = merge.substring(0, space);
        String right = merge.substring(space + 1);
        merges.add(known(left, rank, merge), known(right, rank, merge), rank, known(left + right, rank, merge));
    }

    private int known(String text, int rank, String merge) {
        int id = vocabulary.idOf(text);
        if (id < 0) {
            throw new TokenizerException(
                    "tokenizer.ggml.merges[%d]: not a token of the vocabulary: '%s', merge='%s'"
                            .formatted(rank, GgufException.quote(text), GgufException.quote(merge)));
        }
        return id;
    }

    @Override
    public void encode(String text, boolean first, IntConsumer output) {
        int start = 0;
        for (int end : preTokenizer.wordEnds(text)) {
            encodeWord(text.substring(start, end), output);
            start = end;
        }
    }

    private void encodeWord(String word, IntConsumer output) {
        byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
        if (preTokenizer.ignoresMerges() && bytes.length <= vocabulary.longestText()) {
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
        int[] next = Merging.run(symbols.length, new Word(symbols, merges));
        for (int i = 0; i >= 0; i = next[i]) {
            if (symbols[i] >= 0) {
                output.accept(symbols[i]);
            }
        }
    }

    /** The symbols of one word, as token ids. */
    private record Word(int[] symbols, PairTable merges) implements Merging.Symbols {
        @Override
        public int rank(int left, int right) {
            int slot = symbols[left] < 0 || symbols[right] < 0
                    ? PairTable.ABSENT
                    : merges.find(symbols[left], symbols[right]);
            return slot == PairTable.ABSENT ? Merging.NO_MERGE : merges.first(slot);
        }

        @Override
        public void join(int left, int right) {
            symbols[left] = merges.second(merges.find(symbols[left], symbols[right]));
        }
    }
}

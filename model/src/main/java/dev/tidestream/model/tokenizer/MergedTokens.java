package dev.tidestream.model.tokenizer;

/**
 * The symbols of one word, as token ids, joined by a table of merges.
 *
 * @param symbols below 0: what is no token, and never joins
 * @param merges (left, right) → (rank, joined)
 */
record MergedTokens(int[] symbols, PairTable merges) implements Merging.Symbols {
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

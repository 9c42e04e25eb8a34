package dev.tidestream.model.tokenizer;

import java.util.Arrays;

/**
 * Joins neighbouring symbols until no pair can be joined: always the pair of the lowest rank, the leftmost among equals. Both
 * kinds of BPE are this loop with another idea of rank.
 *
 * <p>The symbols are a doubly linked list in arrays, the open pairs a heap of {@code rank << 32 | left}. An entry is not
 * removed when its pair changes; it is recognised as stale because the pair that now begins at {@code left} has another rank.
 * So {@code n} symbols cost O(n log n), whatever the text.
 */
final class Merging {
    static final int NO_MERGE = Integer.MAX_VALUE;

    /** The symbols that are joined, known by their index in the original row. */
    interface Symbols {
        /** Rank of the pair of neighbours, at least 0; {@link #NO_MERGE} if they do not join. */
        int rank(int left, int right);

        /** The symbol {@code left} swallows {@code right}. */
        void join(int left, int right);
    }

    private final Symbols symbols;
    private final int[] next;
    private final int[] previous;
    private final int[] pairRank; // of the pair that begins at this symbol
    private final long[] heap; // each join takes one entry and adds at most two
    private int heapSize;

    private Merging(int count, Symbols symbols) {
        this.symbols = symbols;
        next = new int[count];
        previous = new int[count];
        pairRank = new int[count];
        heap = new long[2 * count];
    }

    /**
     * Joins all that can be joined.
     *
     * @return for each symbol that is left, beginning with symbol 0, the one behind it; -1 behind the last
     */
    static int[] run(int count, Symbols symbols) {
        Merging merging = new Merging(count, symbols);
        merging.link(count);
        merging.joinAll();
        return merging.next;
    }

    private void link(int count) {
        Arrays.fill(pairRank, NO_MERGE);
        for (int i = 0; i < count; i++) {
            previous[i] = i - 1;
            next[i] = i + 1 < count ? i + 1 : -1;
        }
        for (int i = 0; i + 1 < count; i++) {
            open(i);
        }
    }

    private void joinAll() {
        while (heapSize > 0) {
            long top = pop();
            int left = (int) top;
            if (pairRank[left] != (int) (top >>> 32)) {
                continue;
            }
            int right = next[left];
            symbols.join(left, right);
            pairRank[right] = NO_MERGE;
            next[left] = next[right];
            if (next[left] >= 0) {
                previous[next[left]] = left;
            }
            open(left);
            if (previous[left] >= 0) {
                open(previous[left]);
            }
        }
    }

    private void open(int left) {
        int rank = next[left] < 0 ? NO_MERGE : symbols.rank(left, next[left]);
        pairRank[left] = rank;
        if (rank != NO_MERGE) {
            push(((long) rank << 32) | left);
        }
    }

    private void push(long value) {
        int at = heapSize++;
        while (at > 0 && heap[(at - 1) >>> 1] > value) {
            heap[at] = heap[(at - 1) >>> 1];
            at = (at - 1) >>> 1;
        }
        heap[at] = value;
    }

    private long pop() {
        long top = heap[0];
        long last = heap[--heapSize];
        int at = 0;
        for (int child = 1; child < heapSize; child = 2 * at + 1) {
            if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= last) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = last;
        return top;
    }
}

package dev.tidestream.model.tokenizer;

import java.util.Arrays;

/** Two numbers by pair of numbers: an open-addressing hash table of primitives, since a vocabulary has up to 300,000 merges. */
final class PairTable {
    static final int ABSENT = -1;
    private static final int MAX_CAPACITY = 1 << 27;
    private static final long EMPTY = -1L;

    private final long[] keys; // left << 32 | right
    private final int[] firsts;
    private final int[] seconds;

    /** @param capacity most entries it will hold */
    PairTable(long capacity) {
        if (capacity > MAX_CAPACITY) {
            throw new TokenizerException("tokenizer too large: entries=%d, limit=%d".formatted(capacity, MAX_CAPACITY));
        }
        int size = Integer.highestOneBit(Math.max(4, (int) capacity)) * 4;
        keys = new long[size];
        firsts = new int[size];
        seconds = new int[size];
        Arrays.fill(keys, EMPTY);
    }

    /** Adds an entry for two numbers from 0 up; of two entries for the same pair the first counts. */
    void add(int left, int right, int first, int second) {
        int slot = slot(left, right);
        if (keys[slot] == EMPTY) {
            keys[slot] = key(left, right);
            firsts[slot] = first;
            seconds[slot] = second;
        }
    }

    /** Where the pair's entry is; {@link #ABSENT} if there is none. */
    int find(int left, int right) {
        int slot = slot(left, right);
        return keys[slot] == EMPTY ? ABSENT : slot;
    }

    int first(int slot) {
        return firsts[slot];
    }

    int second(int slot) {
        return seconds[slot];
    }

    private int slot(int left, int right) {
        long key = key(left, right);
        int mask = keys.length - 1;
        int slot = (int) ((key * 0x9E3779B97F4A7C15L) >>> 32) & mask;
        while (keys[slot] != key && keys[slot] != EMPTY) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private static long key(int left, int right) {
        return ((long) left << 32) | right;
    }
}

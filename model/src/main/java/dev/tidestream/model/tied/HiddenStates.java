package dev.tidestream.model.tied;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;

import org.jspecify.annotations.Nullable;

/**
 * The last few final hidden states that a model computed logits from: what heads are compared on before one replaces another.
 * One thread writes, and copies every {@value #EVERY}th state only; any thread reads.
 */
public final class HiddenStates {
    private static final int EVERY = 8;

    private final int hiddenSize;
    private final AtomicReferenceArray<float @Nullable []> states; // (capacity) of (H), never written again
    private long seen;

    /** @param capacity states that are kept; 0 for none */
    public HiddenStates(int capacity, int hiddenSize) {
        this.hiddenSize = hiddenSize;
        this.states = new AtomicReferenceArray<>(capacity);
    }

    /** Keeps nothing. */
    public static HiddenStates none() {
        return new HiddenStates(0, 0);
    }

    /**
     * Notes a state, or passes it over.
     *
     * @param hidden (H) from {@code offset}
     */
    public void record(float[] hidden, int offset) {
        if (states.length() == 0 || seen++ % EVERY != 0) {
            return;
        }
        float[] copy = new float[hiddenSize];
        System.arraycopy(hidden, offset, copy, 0, hiddenSize);
        states.set((int) (seen / EVERY % states.length()), copy);
    }

    /** As if nothing had been recorded; for the end of a warm-up, while nobody records. Any thread. */
    public void forget() {
        for (int i = 0; i < states.length(); i++) {
            states.set(i, null);
        }
    }

    /** The states there are, one below the other: {@code (n, H)}, n possibly 0. */
    public float[] snapshot() {
        float[] all = new float[states.length() * hiddenSize];
        int rows = 0;
        for (int i = 0; i < states.length(); i++) {
            float[] state = states.get(i);
            if (state != null) {
                System.arraycopy(state, 0, all, rows++ * hiddenSize, hiddenSize);
            }
        }
        return rows == states.length() ? all : Arrays.copyOf(all, rows * hiddenSize);
    }
}

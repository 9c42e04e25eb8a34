package dev.tidestream.model.tokenizer.pretokenizer;

import java.util.Arrays;

/** Ranges of one text, in order, none of them empty: words, or what is still to be cut into words. Filled by one thread. */
public final class Words {
    private final String text;
    private int[] bounds = new int[32]; // start, end, start, end, …
    private int count;

    Words(String text) {
        this.text = text;
    }

    /** All of a text; nothing, if it is empty. */
    static Words whole(String text) {
        Words words = new Words(text);
        words.add(0, text.length());
        return words;
    }

    void add(int start, int end) {
        if (start == end) {
            return;
        }
        if (2 * count == bounds.length) {
            bounds = Arrays.copyOf(bounds, 4 * count);
        }
        bounds[2 * count] = start;
        bounds[2 * count + 1] = end;
        count++;
    }

    public int count() {
        return count;
    }

    /** The text that the words are in: the one that was cut, with what steps have changed. */
    public String text() {
        return text;
    }

    public int start(int index) {
        return bounds[2 * index];
    }

    public int end(int index) {
        return bounds[2 * index + 1];
    }

    public String word(int index) {
        return text.substring(start(index), end(index));
    }
}

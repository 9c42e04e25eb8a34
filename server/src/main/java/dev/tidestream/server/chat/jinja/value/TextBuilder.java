package dev.tidestream.server.chat.jinja.value;

import java.util.Arrays;

import dev.tidestream.server.chat.jinja.base.Budget;

/** Builds a {@link Text} within a budget, with its foreign spans. One thread. */
public final class TextBuilder {
    private final Budget budget;
    private final StringBuilder chars = new StringBuilder();
    private int[] spans = new int[8];
    private int count;

    public TextBuilder(Budget budget) {
        this.budget = budget;
    }

    public int length() {
        return chars.length();
    }

    /** Characters of the template's own. */
    public TextBuilder append(String text) {
        return append(text, false);
    }

    public TextBuilder append(String text, boolean foreign) {
        budget.text(text.length(), (long) chars.length() + text.length());
        mark(chars.length(), text.length(), foreign);
        chars.append(text);
        return this;
    }

    public TextBuilder appendCodePoint(int codePoint, boolean foreign) {
        int size = Character.charCount(codePoint);
        budget.text(size, (long) chars.length() + size);
        mark(chars.length(), size, foreign);
        chars.appendCodePoint(codePoint);
        return this;
    }

    public TextBuilder append(Text text) {
        int start = chars.length();
        budget.text(text.length(), (long) start + text.length());
        int[] added = text.spans();
        for (int i = 0; i < added.length; i += 2) {
            mark(start + added[i], added[i + 1] - added[i], true);
        }
        chars.append(text.chars());
        return this;
    }

    public TextBuilder append(Text text, int start, int end) {
        return start >= end ? this : append(text.sub(start, end));
    }

    private void mark(int start, int length, boolean foreign) {
        if (!foreign || length == 0) {
            return;
        }
        if (count > 0 && spans[count - 1] == start) {
            spans[count - 1] = start + length;
            return;
        }
        if (count == spans.length) {
            spans = Arrays.copyOf(spans, 2 * count);
        }
        spans[count++] = start;
        spans[count++] = start + length;
    }

    public Text build() {
        return build(false);
    }

    /** @param safe whether the text is markup */
    public Text build(boolean safe) {
        return new Text(chars.toString(), Arrays.copyOf(spans, count), safe);
    }
}

package dev.tidestream.server.chat.jinja.value;

import java.util.Arrays;

/**
 * A text, and which of its characters came from outside the template (a message, a tool, a variable of a request). Immutable. Positions in
 * this class are UTF-16 code units; a template counts code points.
 *
 * <p>Foreign characters stay foreign through every operation that keeps or rewrites them one by one: joining, cutting, replacing, change of
 * case, escapes, JSON. Where that is not known (a number made from a text and printed again), nothing is foreign: digits are harmless.
 */
public final class Text implements Value {
    private static final int[] NOTHING = {};
    public static final Text EMPTY = new Text("", NOTHING, false);

    private final String chars;
    private final int[] foreign; // (2 * spans): starts and ends of foreign spans, ascending, none empty, none touching
    private final boolean safe;

    Text(String chars, int[] foreign, boolean safe) {
        this.chars = chars;
        this.foreign = foreign;
        this.safe = safe;
    }

    /** A text of the template's own. */
    public static Text of(String chars) {
        return new Text(chars, NOTHING, false);
    }

    /** A text from outside. */
    public static Text foreign(String chars) {
        return new Text(chars, chars.isEmpty() ? NOTHING : new int[] {0, chars.length()}, false);
    }

    public String chars() {
        return chars;
    }

    public int length() {
        return chars.length();
    }

    public boolean isEmpty() {
        return chars.isEmpty();
    }

    /** Whether it is markup already (filter {@code safe}): what is added to it is escaped as HTML. */
    public boolean safe() {
        return safe;
    }

    /** The same characters, markup or not. */
    public Text safe(boolean markup) {
        return markup == safe ? this : new Text(chars, foreign, markup);
    }

    /** Whether nothing is foreign. */
    public boolean own() {
        return foreign.length == 0;
    }

    /** Starts and ends of the foreign spans, ascending; the array is the caller's. */
    public int[] foreignSpans() {
        return foreign.clone();
    }

    int[] spans() {
        return foreign;
    }

    /** Whether this code unit came from outside. */
    public boolean isForeign(int index) {
        int at = Arrays.binarySearch(foreign, index);
        return at >= 0 ? at % 2 == 0 : (-at - 1) % 2 == 1;
    }

    /** The code units from {@code start} to {@code end}, exclusive. */
    public Text sub(int start, int end) {
        if (start == 0 && end == chars.length()) {
            return this;
        }
        String part = chars.substring(start, end);
        if (foreign.length == 0 || part.isEmpty()) {
            return new Text(part, NOTHING, safe);
        }
        int[] spans = new int[foreign.length];
        int count = 0;
        for (int i = 0; i < foreign.length; i += 2) {
            int from = Math.max(foreign[i], start);
            int to = Math.min(foreign[i + 1], end);
            if (from < to) {
                spans[count++] = from - start;
                spans[count++] = to - start;
            }
        }
        return new Text(part, Arrays.copyOf(spans, count), safe);
    }

    /** How many code points: what Python calls its length. */
    public int codePoints() {
        return chars.codePointCount(0, chars.length());
    }

    /** Where this code point begins. */
    public int offset(int codePoint) {
        return chars.offsetByCodePoints(0, codePoint);
    }

    /** Characters alone are compared. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Text text && text.chars.equals(chars);
    }

    @Override
    public int hashCode() {
        return chars.hashCode();
    }

    @Override
    public String toString() {
        return chars;
    }
}

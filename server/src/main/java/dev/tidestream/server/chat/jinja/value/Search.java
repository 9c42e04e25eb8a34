package dev.tidestream.server.chat.jinja.value;

/** Where a text stands in another, in time that no choice of texts makes more than linear. */
public final class Search {
    private static final int SHORT = 32;

    private Search() {}

    /** As {@link String#indexOf(String, int)}; a long pattern is looked for as Knuth, Morris and Pratt do. */
    public static int indexOf(String text, String pattern, int from) {
        if (pattern.length() <= SHORT || text.length() - from < pattern.length()) {
            return text.indexOf(pattern, from);
        }
        int[] border = borders(pattern);
        int matched = 0;
        for (int i = from; i < text.length(); i++) {
            while (matched > 0 && text.charAt(i) != pattern.charAt(matched)) {
                matched = border[matched - 1];
            }
            if (text.charAt(i) == pattern.charAt(matched)) {
                matched++;
            }
            if (matched == pattern.length()) {
                return i + 1 - matched;
            }
        }
        return -1;
    }

    private static int[] borders(String pattern) {
        int[] border = new int[pattern.length()];
        for (int i = 1, length = 0; i < border.length; i++) {
            while (length > 0 && pattern.charAt(i) != pattern.charAt(length)) {
                length = border[length - 1];
            }
            if (pattern.charAt(i) == pattern.charAt(length)) {
                length++;
            }
            border[i] = length;
        }
        return border;
    }

    /** What a search from the end costs at most, in steps beyond one for each character. */
    public static long backwards(String text, String pattern) {
        return pattern.length() <= SHORT ? 0 : (long) text.length() * pattern.length() / SHORT;
    }
}

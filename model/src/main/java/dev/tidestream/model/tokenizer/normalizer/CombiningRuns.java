package dev.tidestream.model.tokenizer.normalizer;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Puts long rows of combining marks into Unicode's order, since the JDK sorts them by insertion: a row of n marks takes it n² steps, and
 * whoever sends a megabyte of them would hold the tokenizer for minutes. The normal form of the result is that of the text.
 *
 * <p>Forms of compatibility (NFKC, NFKD) have two marks more: U+FF9E and U+FF9F, the halfwidth sound marks, are letters that become marks.
 */
final class CombiningRuns {
    private static final int LONG = 64; // chars; no language writes such a row

    private CombiningRuns() {}

    /**
     * The text, long rows of marks sorted; the same object if it has none.
     *
     * @param form that it is to be brought into
     */
    static String sorted(String text, Normalizer.Form form) {
        boolean compatible = form == Normalizer.Form.NFKC || form == Normalizer.Form.NFKD;
        StringBuilder sorted = null;
        int done = 0;
        int at = 0;
        while (at < text.length()) {
            if (!isMark(text.codePointAt(at), compatible)) {
                at++;
                continue;
            }
            int end = at;
            while (end < text.length() && isMark(text.codePointAt(end), compatible)) {
                end += Character.charCount(text.codePointAt(end));
            }
            if (end - at > LONG) {
                sorted = sorted == null ? new StringBuilder(text.length()) : sorted;
                sorted.append(text, done, at);
                appendSorted(sorted, text, at, end, compatible ? Normalizer.Form.NFKD : Normalizer.Form.NFD);
                done = end;
            }
            at = end;
        }
        return sorted == null ? text : sorted.append(text, done, text.length()).toString();
    }

    private static boolean isMark(int c, boolean compatible) {
        return isMark(c) || (compatible && (c == 0xFF9E || c == 0xFF9F));
    }

    private static boolean isMark(int c) {
        int type = Character.getType(c);
        return type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK || type == Character.ENCLOSING_MARK;
    }

    /** Marks of class 0 stay where they are, and the others between them are sorted, stably. */
    private static void appendSorted(StringBuilder sorted, String text, int start, int end, Normalizer.Form form) {
        List<Integer> open = new ArrayList<>();
        // decomposed, so that no mark comes to be later than here; one at a time, since what one becomes is in order
        for (int at = start; at < end; at += Character.charCount(text.codePointAt(at))) {
            String mark = Normalizer.normalize(Character.toString(text.codePointAt(at)), form);
            mark.codePoints().forEach(c -> {
                if (Classes.rank(c) == 0) {
                    close(sorted, open);
                    sorted.appendCodePoint(c);
                } else {
                    open.add(c);
                }
            });
        }
        close(sorted, open);
    }

    private static void close(StringBuilder sorted, List<Integer> open) {
        open.sort(Comparator.comparingInt(Classes::rank));
        open.forEach(sorted::appendCodePoint);
        open.clear();
    }

    /** Combining classes, which the JDK knows and does not tell: found by what it exchanges. Made when the first long row comes. */
    private static final class Classes {
        private static final Map<Integer, Integer> RANKS = ranks();

        static int rank(int c) {
            return RANKS.getOrDefault(c, 0);
        }

        private static Map<Integer, Integer> ranks() {
            List<Integer> representatives = new ArrayList<>(); // one of each class, in order
            Map<Integer, Integer> found = new HashMap<>(); // mark → its representative
            for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
                if (isMark(c) && isAtomic(c) && !isStarter(c)) {
                    int mark = c;
                    int index = Collections.binarySearch(representatives, mark, Classes::compare);
                    if (index < 0) {
                        representatives.add(-index - 1, mark);
                        index = -index - 1;
                    }
                    found.put(mark, representatives.get(index));
                }
            }
            Map<Integer, Integer> ranks = new HashMap<>();
            found.forEach((mark, representative) -> ranks.put(mark, representatives.indexOf(representative) + 1));
            return ranks;
        }

        private static boolean isAtomic(int c) {
            return nfd(Character.toString(c)).codePointAt(0) == c;
        }

        /** Class 0: neither U+0334 (class 1) nor U+0345 (class 240), the lowest and the highest, change places with it. */
        private static boolean isStarter(int c) {
            String mark = Character.toString(c);
            boolean before = nfd("a\u0345" + mark).equals("a\u0345" + mark);
            boolean behind = nfd("a" + mark + "\u0334").equals("a" + mark + "\u0334");
            return before && behind;
        }

        private static int compare(int left, int right) {
            String there = Character.toString(left) + Character.toString(right);
            String back = Character.toString(right) + Character.toString(left);
            if (!nfd("a" + there).equals("a" + there)) {
                return 1;
            }
            return nfd("a" + back).equals("a" + back) ? 0 : -1;
        }

        private static String nfd(String text) {
            return Normalizer.normalize(text, Normalizer.Form.NFD);
        }
    }
}

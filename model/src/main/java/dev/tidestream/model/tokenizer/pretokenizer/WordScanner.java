package dev.tidestream.model.tokenizer.pretokenizer;

import java.util.Map;

import org.jspecify.annotations.Nullable;

/**
 * The pre-tokenizers' regular expressions, written as scanners: one pass, no backtracking, no recursion, so a megabyte of
 * spaces costs what a megabyte of prose costs. The expression stands above each.
 *
 * <p>A rule looks at a range of the text as if nothing stood around it. Positions are UTF-16 units; as both halves of a
 * surrogate pair have the same kind, only what counts single characters must know about pairs.
 */
final class WordScanner {

    /** Cuts one range into words, without a gap. */
    interface Rule {
        void cut(WordScanner scanner, int start, int end);
    }

    private static final char LONG_S = 0x17F; // an s, but for its case

    /** GPT-2's, of which nearly all others are made. */
    static final String GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    static final String LLAMA3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    static final String QWEN2 = LLAMA3.replace("{1,3}", "");

    /** By expression, written as tokenizer.json and llama.cpp write it. */
    static final Map<String, Rule> RULES = Map.of(
            GPT2, WordScanner::gpt2,
            LLAMA3, (scanner, start, end) -> scanner.llama3(start, end, 3),
            QWEN2, (scanner, start, end) -> scanner.llama3(start, end, 1),
            "\\p{N}", WordScanner::singleNumbers,
            "\\p{N}+", WordScanner::numbers,
            "[\\p{P}\\$\\+<=>\\^~\\|]+", WordScanner::punctuation,
            "[0-9][0-9][0-9]", WordScanner::digitTriples);

    private final String text;
    private final byte[] kinds;
    private final Words words;
    private int from; // where the word begins that is ended next

    /** @param words receives words of that text */
    WordScanner(String text, byte[] kinds, Words words) {
        this.text = text;
        this.kinds = kinds;
        this.words = words;
    }

    /** The rule that cuts as an expression cuts whose every match is a word; null if there is none. */
    static @Nullable Rule rule(String expression) {
        return RULES.get(expression);
    }

    /** Cuts a range. */
    void cut(Rule rule, int start, int end) {
        from = start;
        rule.cut(this, start, end);
    }

    /** {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+} */
    void gpt2(int start, int end) {
        int at = start;
        while (at < end) {
            int contraction = contraction(at, end, false);
            int body = text.charAt(at) == ' ' && at + 1 < end ? at + 1 : at;
            if (contraction > 0) {
                at += contraction;
            } else if (kinds[body] == CharKind.LETTER || kinds[body] == CharKind.NUMBER) {
                at = endOfKind(body, end, kinds[body]);
            } else if (kinds[body] != CharKind.SPACE) {
                at = endOfSymbols(body, end);
            } else {
                at = endOfSpaces(at, end);
            }
            add(at);
        }
    }

    /**
     * {@code (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+},
     * for Qwen with {@code \p{N}} alone.
     */
    void llama3(int start, int end, int mostDigits) {
        int at = start;
        while (at < end) {
            int contraction = contraction(at, end, true);
            int letters = lettersFrom(at, end);
            int body = text.charAt(at) == ' ' && at + 1 < end ? at + 1 : at;
            if (contraction > 0) {
                at += contraction;
            } else if (letters >= 0) {
                at = endOfKind(letters, end, CharKind.LETTER);
            } else if (kinds[at] == CharKind.NUMBER) {
                at = endOfNumber(at, end, mostDigits);
            } else if (kinds[body] != CharKind.SPACE && kinds[body] != CharKind.NUMBER) {
                at = endOfLineBreaks(endOfSymbols(body, end), end);
            } else {
                int afterBreaks = afterLastLineBreak(at, end);
                at = afterBreaks >= 0 ? afterBreaks : endOfSpaces(at, end);
            }
            add(at);
        }
    }

    /** {@code \p{N}}: each one a word; what stands between is a word. */
    void singleNumbers(int start, int end) {
        int at = start;
        while (at < end) {
            at = kinds[at] == CharKind.NUMBER ? at + charCount(at) : endOfOthers(at, end, CharKind.NUMBER);
            add(at);
        }
    }

    /** {@code \p{N}+} */
    void numbers(int start, int end) {
        int at = start;
        while (at < end) {
            at = kinds[at] == CharKind.NUMBER ? endOfKind(at, end, CharKind.NUMBER) : endOfOthers(at, end, CharKind.NUMBER);
            add(at);
        }
    }

    /** {@code [\p{P}\$\+<=>\^~\|]+} */
    void punctuation(int start, int end) {
        int at = start;
        while (at < end) {
            boolean inside = isDefaultPunctuation(at);
            while (at < end && isDefaultPunctuation(at) == inside) {
                at++;
            }
            add(at);
        }
    }

    /** {@code [0-9][0-9][0-9]} */
    void digitTriples(int start, int end) {
        int at = start;
        while (at < end) {
            if (at + 3 <= end && isDigit(at) && isDigit(at + 1) && isDigit(at + 2)) {
                if (at > from) {
                    add(at);
                }
                at += 3;
                add(at);
            } else {
                at++;
            }
        }
        if (from < end) {
            add(end);
        }
    }

    private void add(int end) {
        words.add(from, end);
        from = end;
    }

    /** Length of the contraction that begins here; 0 if none does. */
    private int contraction(int at, int end, boolean anyCase) {
        if (text.charAt(at) != '\'' || at + 1 >= end) {
            return 0;
        }
        char first = letter(at + 1, anyCase);
        if (first == 's' || first == 't' || first == 'm' || first == 'd') {
            return 2;
        }
        char second = at + 2 < end ? letter(at + 2, anyCase) : 0;
        boolean long3 = ((first == 'r' || first == 'v') && second == 'e') || (first == 'l' && second == 'l');
        return long3 ? 3 : 0;
    }

    private char letter(int at, boolean anyCase) {
        char c = text.charAt(at);
        if (anyCase && c == LONG_S) {
            return 's';
        }
        return anyCase && c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
    }

    /** Where the letters of {@code [^\r\n\p{L}\p{N}]?\p{L}+} begin; -1 if it does not match. */
    private int lettersFrom(int at, int end) {
        if (kinds[at] == CharKind.LETTER) {
            return at;
        }
        int next = at + charCount(at);
        boolean prefix = kinds[at] != CharKind.NUMBER && !isLineBreak(at) && next < end && kinds[next] == CharKind.LETTER;
        return prefix ? next : -1;
    }

    private int endOfKind(int at, int end, byte kind) {
        int to = at;
        while (to < end && kinds[to] == kind) {
            to++;
        }
        return to;
    }

    private int endOfOthers(int at, int end, byte kind) {
        int to = at;
        while (to < end && kinds[to] != kind) {
            to++;
        }
        return to;
    }

    private int endOfSymbols(int at, int end) {
        int to = at;
        while (to < end && (kinds[to] == CharKind.PUNCTUATION || kinds[to] == CharKind.OTHER)) {
            to++;
        }
        return to;
    }

    private int endOfNumber(int at, int end, int mostDigits) {
        int to = at;
        for (int digits = 0; digits < mostDigits && to < end && kinds[to] == CharKind.NUMBER; digits++) {
            to += charCount(to);
        }
        return to;
    }

    private int endOfLineBreaks(int at, int end) {
        int to = at;
        while (to < end && isLineBreak(to)) {
            to++;
        }
        return to;
    }

    private int afterLastLineBreak(int at, int end) {
        int after = -1;
        for (int i = at; i < end && kinds[i] == CharKind.SPACE; i++) {
            if (isLineBreak(i)) {
                after = i + 1;
            }
        }
        return after;
    }

    /** All spaces at the end of the range; elsewhere the last one is left for the word behind, unless it is the only one. */
    private int endOfSpaces(int at, int end) {
        int to = endOfKind(at, end, CharKind.SPACE);
        return to < end && to - at > 1 ? to - 1 : to;
    }

    private boolean isLineBreak(int at) {
        char c = text.charAt(at);
        return c == '\r' || c == '\n';
    }

    private boolean isDigit(int at) {
        char c = text.charAt(at);
        return c >= '0' && c <= '9';
    }

    private boolean isDefaultPunctuation(int at) {
        return kinds[at] == CharKind.PUNCTUATION || "$+<=>^~|".indexOf(text.charAt(at)) >= 0;
    }

    private int charCount(int at) {
        return Character.charCount(text.codePointAt(at));
    }
}

package dev.tidestream.model.tokenizer.regex;

import java.util.Locale;
import java.util.function.IntPredicate;

/** A set of code points, immutable: a table for ASCII, a rule for the rest. */
final class CharClass {
    private static final int ASCII = 128;
    private static final int LETTERS = mask(Character.UPPERCASE_LETTER, Character.LOWERCASE_LETTER, Character.TITLECASE_LETTER,
            Character.MODIFIER_LETTER, Character.OTHER_LETTER);
    private static final int MARKS = mask(Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK);
    private static final int NUMBERS = mask(Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER);
    private static final int PUNCTUATION = mask(Character.CONNECTOR_PUNCTUATION, Character.DASH_PUNCTUATION,
            Character.START_PUNCTUATION, Character.END_PUNCTUATION, Character.INITIAL_QUOTE_PUNCTUATION,
            Character.FINAL_QUOTE_PUNCTUATION, Character.OTHER_PUNCTUATION);
    private static final int SYMBOLS = mask(Character.MATH_SYMBOL, Character.CURRENCY_SYMBOL, Character.MODIFIER_SYMBOL,
            Character.OTHER_SYMBOL);
    private static final int SEPARATORS = mask(Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR);
    private static final int OTHERS = mask(Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE,
            Character.UNASSIGNED);

    /** {@code \s}: Unicode's White_Space. */
    static final CharClass SPACE = new CharClass(CharClass::isSpace);
    /** {@code \d} */
    static final CharClass DIGIT = new CharClass(Character::isDigit);
    /** {@code \w}: letters, what is alphabetic otherwise, marks, decimal digits, connectors. */
    static final CharClass WORD = new CharClass(CharClass::isWord);
    /** {@code .} */
    static final CharClass NOT_LINE_FEED = new CharClass(c -> c != '\n');

    private final boolean[] ascii = new boolean[ASCII];
    private final IntPredicate rule;

    CharClass(IntPredicate rule) {
        this.rule = rule;
        for (int c = 0; c < ASCII; c++) {
            ascii[c] = rule.test(c);
        }
    }

    static CharClass of(int only) {
        return new CharClass(c -> c == only);
    }

    static CharClass range(int first, int last) {
        return new CharClass(c -> c >= first && c <= last);
    }

    boolean has(int c) {
        return c < ASCII ? ascii[c] : rule.test(c);
    }

    CharClass or(CharClass other) {
        return new CharClass(c -> has(c) || other.has(c));
    }

    CharClass and(CharClass other) {
        return new CharClass(c -> has(c) && other.has(c));
    }

    CharClass negated() {
        return new CharClass(c -> !has(c));
    }

    /** With every character that differs in case alone, as simple case folding has it: {@code s} has {@code S} and the long s. */
    CharClass ignoringCase() {
        return new CharClass(c -> {
            int upper = Character.toUpperCase(c);
            int lower = Character.toLowerCase(c);
            return has(c) || has(upper) || has(lower) || has(Character.toLowerCase(upper)) || has(Character.toUpperCase(lower))
                    || (lower == 's' && has(0x17F)) || (lower == 'k' && has(0x212A));
        });
    }

    /**
     * The class of a Unicode property: a general category ({@code L}, {@code Lu}, …) or a script ({@code Han}).
     *
     * @throws RegexSyntaxException if it is neither
     */
    static CharClass property(String name) {
        int categories = categories(name);
        if (categories != 0) {
            return new CharClass(c -> (categories >>> Character.getType(c) & 1) != 0);
        }
        if (name.equalsIgnoreCase("Alphabetic") || name.equalsIgnoreCase("Alpha")) {
            return new CharClass(Character::isAlphabetic);
        }
        try {
            Character.UnicodeScript script = Character.UnicodeScript.forName(name.replaceFirst("^(?:script=|sc=)", ""));
            return new CharClass(c -> Character.UnicodeScript.of(c) == script);
        } catch (IllegalArgumentException _) {
            throw new RegexSyntaxException("unknown property: \\p{%s}".formatted(name));
        }
    }

    private static int categories(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "l", "letter" -> LETTERS;
            case "m", "mark" -> MARKS;
            case "n", "number" -> NUMBERS;
            case "p", "punct", "punctuation" -> PUNCTUATION;
            case "s", "symbol" -> SYMBOLS;
            case "z", "separator" -> SEPARATORS;
            case "c", "other" -> OTHERS;
            case "lu" -> mask(Character.UPPERCASE_LETTER);
            case "ll" -> mask(Character.LOWERCASE_LETTER);
            case "lt" -> mask(Character.TITLECASE_LETTER);
            case "lm" -> mask(Character.MODIFIER_LETTER);
            case "lo" -> mask(Character.OTHER_LETTER);
            case "mn" -> mask(Character.NON_SPACING_MARK);
            case "mc" -> mask(Character.COMBINING_SPACING_MARK);
            case "me" -> mask(Character.ENCLOSING_MARK);
            case "nd" -> mask(Character.DECIMAL_DIGIT_NUMBER);
            case "nl" -> mask(Character.LETTER_NUMBER);
            case "no" -> mask(Character.OTHER_NUMBER);
            case "pc" -> mask(Character.CONNECTOR_PUNCTUATION);
            case "pd" -> mask(Character.DASH_PUNCTUATION);
            case "ps" -> mask(Character.START_PUNCTUATION);
            case "pe" -> mask(Character.END_PUNCTUATION);
            case "pi" -> mask(Character.INITIAL_QUOTE_PUNCTUATION);
            case "pf" -> mask(Character.FINAL_QUOTE_PUNCTUATION);
            case "po" -> mask(Character.OTHER_PUNCTUATION);
            case "sm" -> mask(Character.MATH_SYMBOL);
            case "sc" -> mask(Character.CURRENCY_SYMBOL);
            case "sk" -> mask(Character.MODIFIER_SYMBOL);
            case "so" -> mask(Character.OTHER_SYMBOL);
            case "zs" -> mask(Character.SPACE_SEPARATOR);
            case "zl" -> mask(Character.LINE_SEPARATOR);
            case "zp" -> mask(Character.PARAGRAPH_SEPARATOR);
            case "cc" -> mask(Character.CONTROL);
            case "cf" -> mask(Character.FORMAT);
            case "co" -> mask(Character.PRIVATE_USE);
            case "cn" -> mask(Character.UNASSIGNED);
            default -> 0;
        };
    }

    private static int mask(byte... categories) {
        int mask = 0;
        for (byte category : categories) {
            mask |= 1 << category;
        }
        return mask;
    }

    private static boolean isSpace(int c) {
        return (c >= '\t' && c <= '\r') || c == 0x85 || Character.isSpaceChar(c);
    }

    private static boolean isWord(int c) {
        int word = LETTERS | MARKS | mask(Character.DECIMAL_DIGIT_NUMBER, Character.CONNECTOR_PUNCTUATION);
        return (word >>> Character.getType(c) & 1) != 0 || Character.isAlphabetic(c);
    }
}

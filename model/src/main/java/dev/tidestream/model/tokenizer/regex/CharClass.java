package dev.tidestream.model.tokenizer.regex;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A set of code points, immutable: ranges, and Unicode's properties. A union is one list of ranges and one of properties, however many
 * members it was written with, so that a class is never deeper than its brackets are nested. A table answers for ASCII.
 */
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
    private static final int WORDS = LETTERS | MARKS | mask(Character.DECIMAL_DIGIT_NUMBER, Character.CONNECTOR_PUNCTUATION);

    /** {@code \s}: Unicode's White_Space. */
    static final CharClass SPACE = of(Property.SPACE);
    /** {@code \d} */
    static final CharClass DIGIT = of(new Categories(mask(Character.DECIMAL_DIGIT_NUMBER)));
    /** {@code \w}: letters, what is alphabetic otherwise, marks, decimal digits, connectors. */
    static final CharClass WORD = of(Property.WORD);
    /** {@code .} */
    static final CharClass NOT_LINE_FEED = of('\n').negated();

    private final boolean[] ascii = new boolean[ASCII];
    private final int[] ranges; // first, last, first, last, …: ascending, not touching
    private final List<Rule> rules; // what the ranges lack

    /** A set that is not written as ranges. */
    private sealed interface Rule {
        boolean has(int c);
    }

    private enum Property implements Rule {
        SPACE,
        WORD,
        ALPHABETIC;

        @Override
        public boolean has(int c) {
            return switch (this) {
                case SPACE -> (c >= '\t' && c <= '\r') || c == 0x85 || Character.isSpaceChar(c);
                case WORD -> (WORDS >>> Character.getType(c) & 1) != 0 || Character.isAlphabetic(c);
                case ALPHABETIC -> Character.isAlphabetic(c);
            };
        }
    }

    /** General categories, a bit each. */
    private record Categories(int mask) implements Rule {
        @Override
        public boolean has(int c) {
            return (mask >>> Character.getType(c) & 1) != 0;
        }
    }

    private record Script(Character.UnicodeScript script) implements Rule {
        @Override
        public boolean has(int c) {
            return Character.UnicodeScript.of(c) == script;
        }
    }

    private record Not(CharClass chars) implements Rule {
        @Override
        public boolean has(int c) {
            return !chars.has(c);
        }
    }

    private record All(List<CharClass> classes) implements Rule {
        @Override
        public boolean has(int c) {
            for (CharClass each : classes) {
                if (!each.has(c)) {
                    return false;
                }
            }
            return true;
        }
    }

    private record AnyCase(CharClass chars) implements Rule {
        @Override
        public boolean has(int c) {
            int upper = Character.toUpperCase(c);
            int lower = Character.toLowerCase(c);
            return chars.has(c) || chars.has(upper) || chars.has(lower)
                    || chars.has(Character.toLowerCase(upper)) || chars.has(Character.toUpperCase(lower))
                    || (lower == 's' && chars.has(0x17F)) || (lower == 'k' && chars.has(0x212A));
        }
    }

    /** @param ranges ascending, not touching */
    private CharClass(int[] ranges, List<Rule> rules) {
        this.ranges = ranges;
        this.rules = List.copyOf(rules);
        for (int c = 0; c < ASCII; c++) {
            ascii[c] = find(c);
        }
    }

    private static CharClass of(Rule rule) {
        return new CharClass(new int[0], List.of(rule));
    }

    static CharClass of(int only) {
        return range(only, only);
    }

    static CharClass range(int first, int last) {
        return new CharClass(new int[] {first, last}, List.of());
    }

    /** Members of a class, while it is put together. */
    static final class Union {
        private final List<int[]> ranges = new ArrayList<>();
        private final Set<Rule> rules = new LinkedHashSet<>();
        private int categories;

        Union add(CharClass other) {
            for (int i = 0; i < other.ranges.length; i += 2) {
                ranges.add(new int[] {other.ranges[i], other.ranges[i + 1]});
            }
            for (Rule rule : other.rules) {
                if (rule instanceof Categories(int mask)) {
                    categories |= mask;
                } else {
                    rules.add(rule);
                }
            }
            return this;
        }

        CharClass build() {
            ranges.sort(Comparator.comparingInt((int[] range) -> range[0]));
            int[] joined = new int[2 * ranges.size()];
            int used = 0;
            for (int[] range : ranges) {
                if (used > 0 && range[0] <= joined[used - 1] + 1) {
                    joined[used - 1] = Math.max(joined[used - 1], range[1]);
                } else {
                    joined[used++] = range[0];
                    joined[used++] = range[1];
                }
            }
            List<Rule> all = new ArrayList<>(rules);
            if (categories != 0) {
                all.addFirst(new Categories(categories));
            }
            return new CharClass(Arrays.copyOf(joined, used), all);
        }
    }

    boolean has(int c) {
        return c < ASCII ? ascii[c] : find(c);
    }

    private boolean find(int c) {
        int low = 0;
        int high = ranges.length / 2;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (ranges[2 * middle + 1] < c) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (2 * low < ranges.length && ranges[2 * low] <= c) {
            return true;
        }
        for (Rule rule : rules) {
            if (rule.has(c)) {
                return true;
            }
        }
        return false;
    }

    /** @param classes at least one */
    static CharClass all(List<CharClass> classes) {
        return classes.size() == 1 ? classes.getFirst() : of(new All(List.copyOf(classes)));
    }

    CharClass negated() {
        if (rules.isEmpty()) {
            return new CharClass(gaps(), List.of());
        }
        if (ranges.length == 0 && rules.size() == 1) {
            switch (rules.getFirst()) {
                case Categories(int mask) -> {
                    return of(new Categories(~mask));
                }
                case Not(CharClass chars) -> {
                    return chars;
                }
                default -> { }
            }
        }
        return of(new Not(this));
    }

    private int[] gaps() {
        int[] gaps = new int[ranges.length + 2];
        int used = 0;
        int from = 0;
        for (int i = 0; i <= ranges.length; i += 2) {
            int before = i == ranges.length ? Character.MAX_CODE_POINT + 1 : ranges[i];
            if (before > from) {
                gaps[used++] = from;
                gaps[used++] = before - 1;
            }
            from = i == ranges.length ? before : ranges[i + 1] + 1;
        }
        return Arrays.copyOf(gaps, used);
    }

    /** With every character that differs in case alone, as simple case folding has it: {@code s} has {@code S} and the long s. */
    CharClass ignoringCase() {
        return of(new AnyCase(this));
    }

    /**
     * The class of a Unicode property: a general category ({@code L}, {@code Lu}, …) or a script ({@code Han}).
     *
     * @throws RegexSyntaxException if it is neither
     */
    static CharClass property(String name) {
        int categories = categories(name);
        if (categories != 0) {
            return of(new Categories(categories));
        }
        if (name.equalsIgnoreCase("Alphabetic") || name.equalsIgnoreCase("Alpha")) {
            return of(Property.ALPHABETIC);
        }
        try {
            return of(new Script(Character.UnicodeScript.forName(name.replaceFirst("^(?:script=|sc=)", ""))));
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
}

package dev.tidestream.server.chat.jinja.run;

import java.util.function.IntPredicate;

import dev.tidestream.server.chat.jinja.value.Texts;

/** {@code str.isupper} and its kin. Only what has a case is asked for its case; an empty text is nothing. */
final class TextTests {

    private TextTests() {}

    static boolean isLower(String text) {
        return text.codePoints().anyMatch(Character::isLowerCase)
                && text.codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
    }

    static boolean isUpper(String text) {
        return text.codePoints().anyMatch(Character::isUpperCase)
                && text.codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
    }

    static boolean isTitle(String text) {
        boolean within = false;
        boolean any = false;
        for (int c : text.codePoints().toArray()) {
            boolean upper = Character.isUpperCase(c) || Character.isTitleCase(c);
            boolean lower = Character.isLowerCase(c);
            if ((upper && within) || (lower && !within)) {
                return false;
            }
            within = upper || lower;
            any |= within;
        }
        return any;
    }

    static boolean isDigit(String text) {
        return all(text, c -> Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER || superscript(c));
    }

    static boolean isDecimal(String text) {
        return all(text, c -> Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER);
    }

    static boolean isNumeric(String text) {
        return all(text, TextTests::numeric);
    }

    static boolean isAlpha(String text) {
        return all(text, Character::isLetter);
    }

    static boolean isAlphanumeric(String text) {
        return all(text, c -> Character.isLetter(c) || numeric(c));
    }

    static boolean isSpace(String text) {
        return all(text, Texts::isSpace);
    }

    static boolean isAscii(String text) {
        return text.chars().allMatch(c -> c < 128);
    }

    static boolean isIdentifier(String text) {
        return !text.isEmpty() && (text.charAt(0) == '_' || Character.isUnicodeIdentifierStart(text.codePointAt(0)))
                && all(text, c -> Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c));
    }

    private static boolean numeric(int c) {
        return switch (Character.getType(c)) {
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> true;
            default -> false;
        };
    }

    private static boolean superscript(int c) {
        return c == 0xb2 || c == 0xb3 || c == 0xb9 || c == 0x2070 || (c >= 0x2074 && c <= 0x2079) || (c >= 0x2080 && c <= 0x2089)
                || (c >= 0x2460 && c <= 0x2468);
    }

    private static boolean all(String text, IntPredicate test) {
        return !text.isEmpty() && text.codePoints().allMatch(test);
    }
}

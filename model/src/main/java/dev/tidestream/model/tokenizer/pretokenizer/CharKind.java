package dev.tidestream.model.tokenizer.pretokenizer;

import static java.lang.Character.CONNECTOR_PUNCTUATION;
import static java.lang.Character.DASH_PUNCTUATION;
import static java.lang.Character.DECIMAL_DIGIT_NUMBER;
import static java.lang.Character.END_PUNCTUATION;
import static java.lang.Character.FINAL_QUOTE_PUNCTUATION;
import static java.lang.Character.INITIAL_QUOTE_PUNCTUATION;
import static java.lang.Character.LETTER_NUMBER;
import static java.lang.Character.OTHER_NUMBER;
import static java.lang.Character.OTHER_PUNCTUATION;
import static java.lang.Character.START_PUNCTUATION;

/** The classes of characters that pre-tokenizers tell apart; every character is in exactly one. */
final class CharKind {
    /** {@code \p{L}} */
    static final byte LETTER = 0;
    /** {@code \p{N}} */
    static final byte NUMBER = 1;
    /** {@code \s}: Unicode's White_Space. */
    static final byte SPACE = 2;
    /** {@code \p{P}} */
    static final byte PUNCTUATION = 3;
    /** The rest, unassigned code points among it. */
    static final byte OTHER = 4;

    private CharKind() {}

    /** Kinds of a text's UTF-16 units; both halves of a surrogate pair have the kind of their character. */
    static byte[] of(String text) {
        byte[] kinds = new byte[text.length()];
        int length;
        for (int i = 0; i < kinds.length; i += length) {
            int c = text.codePointAt(i);
            length = Character.charCount(c);
            kinds[i] = of(c);
            kinds[i + length - 1] = kinds[i];
        }
        return kinds;
    }

    private static byte of(int c) {
        if (isSpace(c)) {
            return SPACE;
        }
        if (Character.isLetter(c)) {
            return LETTER;
        }
        return switch (Character.getType(c)) {
            case DECIMAL_DIGIT_NUMBER, LETTER_NUMBER, OTHER_NUMBER -> NUMBER;
            case CONNECTOR_PUNCTUATION, DASH_PUNCTUATION, START_PUNCTUATION, END_PUNCTUATION, INITIAL_QUOTE_PUNCTUATION,
                    FINAL_QUOTE_PUNCTUATION, OTHER_PUNCTUATION -> PUNCTUATION;
            default -> OTHER;
        };
    }

    private static boolean isSpace(int c) {
        return (c >= '\t' && c <= '\r') || c == 0x85 || Character.isSpaceChar(c);
    }
}

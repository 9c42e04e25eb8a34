package dev.tidestream.console;

/**
 * Text of unknown origin, fit for a terminal, a log, or a program that reads our output. A model's name, a tensor's, an error that
 * repeats what a client sent: any of them may hold an escape sequence that repaints a terminal, a line break that forges a line, or
 * an override that shows text in another order. Whatever is not shown as itself becomes a visible escape: {@code \n}, {@code \r},
 * {@code \t}, and {@code \}{@code uXXXX} for the rest, which is what JSON writes, too.
 *
 * <p>Escaped are control characters (C0, DEL, C1), format characters (such as the bidirectional overrides of the Unicode report
 * 9), line and paragraph separators, and surrogates without their other half. {@link #line} and {@link #text} leave the joiners
 * U+200C and U+200D, since words and emoji of many languages need them; and they change nothing in what they made before.
 */
public final class Printable {
    private static final int ZERO_WIDTH_NON_JOINER = 0x200C;
    private static final int ZERO_WIDTH_JOINER = 0x200D;
    private static final String HEX = "0123456789abcdef";

    private Printable() {}

    /** Text that may have several lines: line feeds and tabs stay. */
    public static String text(String text) {
        return escape(text, true);
    }

    /** Text that is one line, or a part of one: line feeds and tabs become escapes. */
    public static String line(String text) {
        return escape(text, false);
    }

    /**
     * A value, shown so that it can be told apart from every other: as {@link #line}, but backslashes are doubled and joiners
     * escaped.
     *
     * @param maxChars what is longer ends in an ellipsis
     */
    public static String value(String text, int maxChars) {
        StringBuilder shown = new StringBuilder();
        int i = 0;
        while (i < text.length() && i < maxChars) {
            int c = text.codePointAt(i);
            if (c == '\\') {
                shown.append("\\\\");
            } else {
                append(shown, c, isHidden(c));
            }
            i += Character.charCount(c);
        }
        return shown.append(i < text.length() ? "…" : "").toString();
    }

    /** A {@link #value} in quotation marks. */
    public static String quoted(String text, int maxChars) {
        return '"' + value(text, maxChars).replace("\"", "\\\"") + '"';
    }

    private static String escape(String text, boolean severalLines) {
        StringBuilder shown = null;
        int i = 0;
        while (i < text.length()) {
            int c = text.codePointAt(i);
            boolean stays = (severalLines && (c == '\n' || c == '\t'))
                    || c == ZERO_WIDTH_JOINER || c == ZERO_WIDTH_NON_JOINER || !isHidden(c);
            if (!stays && shown == null) { // most text has nothing to escape
                shown = new StringBuilder(text.length() + 16).append(text, 0, i);
            }
            if (shown != null) {
                append(shown, c, !stays);
            }
            i += Character.charCount(c);
        }
        return shown == null ? text : shown.toString();
    }

    private static void append(StringBuilder shown, int c, boolean escaped) {
        if (!escaped) {
            shown.appendCodePoint(c);
            return;
        }
        switch (c) {
            case '\n' -> shown.append("\\n");
            case '\r' -> shown.append("\\r");
            case '\t' -> shown.append("\\t");
            default -> {
                for (char unit : Character.toChars(c)) {
                    shown.append("\\u");
                    for (int shift = 12; shift >= 0; shift -= 4) {
                        shown.append(HEX.charAt(unit >> shift & 0xF));
                    }
                }
            }
        }
    }

    /** Whether a terminal would show something else than a character; a surrogate comes alone only if its other half is missing. */
    private static boolean isHidden(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE -> true;
            default -> false;
        };
    }
}

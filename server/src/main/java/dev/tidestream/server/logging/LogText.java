package dev.tidestream.server.logging;

/** Text of unknown origin, fit for one line of a log. */
public final class LogText {
    private LogText() {}

    /**
     * What a terminal or a reader of lines would act on becomes {@code \\uXXXX}, or {@code \n}, {@code \r}, {@code \t}: control
     * characters of both ranges, line and paragraph separators, characters that change the direction or are not seen, and halves of
     * characters. Everything else stays, backslashes too, so this changes nothing the second time.
     */
    static String harmless(String text) {
        int at = 0;
        while (at < text.length() && !acts(text, at)) {
            at += Character.charCount(text.codePointAt(at));
        }
        if (at == text.length()) {
            return text; // nearly always
        }
        StringBuilder line = new StringBuilder(text.length() + 16).append(text, 0, at);
        while (at < text.length()) {
            int character = text.codePointAt(at);
            if (acts(text, at)) {
                escape(character, line);
            } else {
                line.appendCodePoint(character);
            }
            at += Character.charCount(character);
        }
        return line.toString();
    }

    private static boolean acts(String text, int at) {
        return switch (Character.getType(text.codePointAt(at))) {
            case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SURROGATE -> true;
            default -> false;
        };
    }

    private static void escape(int character, StringBuilder line) {
        switch (character) {
            case '\n' -> line.append("\\n");
            case '\r' -> line.append("\\r");
            case '\t' -> line.append("\\t");
            default -> {
                for (char unit : Character.toChars(character)) {
                    line.append("\\u");
                    for (int shift = 12; shift >= 0; shift -= 4) {
                        line.append(Character.forDigit(unit >> shift & 0xF, 16));
                    }
                }
            }
        }
    }

    /**
     * A JSON string, so that a value ends where its quotation mark says.
     *
     * @param maxChars of the text; what is longer ends in an ellipsis
     */
    public static String quoted(String text, int maxChars) {
        int end = text.length();
        if (end > maxChars) {
            end = Character.isHighSurrogate(text.charAt(maxChars - 1)) ? maxChars - 1 : maxChars;
        }
        String shown = text.substring(0, end).replace("\\", "\\\\").replace("\"", "\\\"") + (end < text.length() ? "…" : "");
        return '"' + harmless(shown) + '"';
    }
}

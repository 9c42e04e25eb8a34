package dev.tidestream.server.logging;

import dev.tidestream.console.Printable;

/** Text of unknown origin, fit for one line of a log. */
public final class LogText {
    private LogText() {}

    /**
     * A JSON string, so that a value ends where its quotation mark says.
     *
     * @param maxChars of the text; what is longer ends in an ellipsis
     */
    public static String quoted(String text, int maxChars) {
        return '"' + Printable.line(cut(text, maxChars).replace("\\", "\\\\").replace("\"", "\\\"")) + '"';
    }

    /** At most so many chars of a text; what is longer ends in an ellipsis. */
    static String cut(String text, int maxChars) {
        if (text.length() <= maxChars) {
            return text;
        }
        return text.substring(0, Character.isHighSurrogate(text.charAt(maxChars - 1)) ? maxChars - 1 : maxChars) + "…";
    }
}

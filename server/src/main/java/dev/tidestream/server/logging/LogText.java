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
        int end = text.length();
        if (end > maxChars) {
            end = Character.isHighSurrogate(text.charAt(maxChars - 1)) ? maxChars - 1 : maxChars;
        }
        String shown = text.substring(0, end).replace("\\", "\\\\").replace("\"", "\\\"") + (end < text.length() ? "…" : "");
        return '"' + Printable.line(shown) + '"';
    }
}

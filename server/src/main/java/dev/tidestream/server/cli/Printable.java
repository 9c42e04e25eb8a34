package dev.tidestream.server.cli;

/** Text of unknown origin, fit for one line of a terminal. */
final class Printable {

    private Printable() {}

    /** Control characters, line ends and backslashes become escapes; what is longer than {@code maxChars} ends in an ellipsis. */
    static String line(String text, int maxChars) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < text.length() && i < maxChars; i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\t' -> line.append("\\t");
                case '\\' -> line.append("\\\\");
                default -> line.append(hidden(c) ? "\\u%04x".formatted((int) c) : Character.toString(c));
            }
        }
        return line.append(text.length() > maxChars ? "…" : "").toString();
    }

    /** The same in quotation marks. */
    static String quoted(String text, int maxChars) {
        return '"' + line(text, maxChars).replace("\"", "\\\"") + '"';
    }

    private static boolean hidden(char c) {
        int type = Character.getType(c);
        return type == Character.CONTROL || type == Character.FORMAT
                || type == Character.LINE_SEPARATOR || type == Character.PARAGRAPH_SEPARATOR;
    }
}

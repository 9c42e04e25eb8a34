package dev.tidestream.server.adapters.file;

/** Names of files as they may stand in a message. */
final class Names {
    private static final int MAX_CHARS = 200;

    private Names() {}

    /** Short, on one line, without control characters. */
    static String quote(String text) {
        String head = text.length() > MAX_CHARS ? text.substring(0, MAX_CHARS) + "…" : text;
        return head.replaceAll("[\\p{Cntrl}\\p{Cf}\\p{Cs}\\u2028\\u2029]", "\uFFFD");
    }
}

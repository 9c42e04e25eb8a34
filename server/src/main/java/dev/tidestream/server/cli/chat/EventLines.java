package dev.tidestream.server.cli.chat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.util.Optional;

/** The data of server-sent events, one after the other; what is not data is left out. */
final class EventLines {
    private static final String DATA = "data:";

    private final Reader in;
    private final int maxChars;
    private boolean afterReturn;

    /** @param maxChars of a line and of an event */
    EventLines(Reader in, int maxChars) {
        this.in = new BufferedReader(in);
        this.maxChars = maxChars;
    }

    /**
     * The next event's data, its lines joined by line feeds; empty at the end. An event that the stream ends in is left out.
     *
     * @throws IOException if it cannot be read, or is too long
     */
    Optional<String> next() throws IOException {
        StringBuilder data = new StringBuilder();
        boolean some = false;
        for (Optional<String> line = line(); line.isPresent(); line = line()) {
            String text = line.get();
            if (text.isEmpty() && some) {
                return Optional.of(data.toString());
            }
            if (text.startsWith(DATA)) {
                String value = text.substring(DATA.length());
                data.append(some ? "\n" : "").append(value.startsWith(" ") ? value.substring(1) : value);
                requireLength(data);
                some = true;
            }
        }
        return Optional.empty();
    }

    /** Ends in CR, LF or both; empty if there is none. */
    private Optional<String> line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c >= 0; c = in.read()) {
            boolean second = afterReturn && c == '\n';
            afterReturn = c == '\r';
            if (second) {
                continue;
            }
            if (c == '\n' || c == '\r') {
                return Optional.of(line.toString());
            }
            line.append((char) c);
            requireLength(line);
        }
        return Optional.empty();
    }

    private void requireLength(StringBuilder text) throws IOException {
        if (text.length() > maxChars) {
            throw new IOException("an event of the server is too long: limit=" + maxChars + " characters");
        }
    }
}

package dev.tidestream.server.cli.chat;

import dev.tidestream.server.cli.chat.ChatConsole.Input;

/**
 * Messages of one line or several: a line that ends with a backslash goes on in the next, and so does what stands in triple quotes.
 */
final class MessageReader {
    private static final String QUOTES = "\"\"\"";

    private final ChatConsole console;

    MessageReader(ChatConsole console) {
        this.console = console;
    }

    /** The next message, whole; or what the user did in place of it. An end within a message is an end. */
    Input next() {
        Input first = console.read(false);
        if (!(first instanceof Input.Line(String line))) {
            return first;
        }
        return line.stripLeading().startsWith(QUOTES) ? quoted(line.stripLeading().substring(QUOTES.length())) : continued(line);
    }

    private Input continued(String first) {
        StringBuilder text = new StringBuilder();
        String line = first;
        while (line.endsWith("\\")) {
            text.append(line, 0, line.length() - 1).append('\n');
            Input next = console.read(true);
            if (!(next instanceof Input.Line(String more))) {
                return interrupted(next);
            }
            line = more;
        }
        return new Input.Line(text.append(line).toString());
    }

    private Input quoted(String first) {
        StringBuilder text = new StringBuilder();
        String line = first;
        while (!line.stripTrailing().endsWith(QUOTES)) {
            text.append(line).append('\n');
            Input next = console.read(true);
            if (!(next instanceof Input.Line(String more))) {
                return interrupted(next);
            }
            line = more;
        }
        text.append(line.stripTrailing(), 0, line.stripTrailing().length() - QUOTES.length());
        if (!text.isEmpty() && text.charAt(0) == '\n') { // the quotes stood alone
            text.deleteCharAt(0);
        }
        if (!text.isEmpty() && text.charAt(text.length() - 1) == '\n') {
            text.setLength(text.length() - 1);
        }
        return new Input.Message(text.toString());
    }

    private static Input interrupted(Input input) {
        return input instanceof Input.Interrupt ? new Input.Interrupt(false) : input;
    }
}

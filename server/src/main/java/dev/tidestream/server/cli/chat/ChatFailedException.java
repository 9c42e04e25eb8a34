package dev.tidestream.server.cli.chat;

import java.io.Serial;

/** There is no answer to this message; a later one may have one. */
final class ChatFailedException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final boolean tooLong;

    private ChatFailedException(String message, boolean tooLong) {
        super(message);
        this.tooLong = tooLong;
    }

    /** @param message for people, without line ends */
    static ChatFailedException of(String message) {
        return new ChatFailedException(message, false);
    }

    /** The conversation does not fit into the model's context. */
    static ChatFailedException tooLong(String message) {
        return new ChatFailedException(message, true);
    }

    boolean tooLong() {
        return tooLong;
    }
}

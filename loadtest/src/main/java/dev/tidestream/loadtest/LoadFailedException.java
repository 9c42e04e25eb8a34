package dev.tidestream.loadtest;

/** The run could not be made; the message is for people. */
final class LoadFailedException extends Exception {
    private static final long serialVersionUID = 1;

    LoadFailedException(String message, Throwable cause) {
        super(message, cause);
    }

    LoadFailedException(String message) {
        super(message);
    }
}

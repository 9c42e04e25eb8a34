package dev.tidestream.protocol;

/** Messages, for people, that several parts of a server send. */
public final class ServerTexts {
    /** Beside {@code shutting_down}, and as the reason of a close. */
    public static final String SHUTTING_DOWN = "the server is shutting down";

    /** Beside {@code internal}: nothing that a client could mend. */
    public static final String FAULT = "a fault of the server; its log has the details";

    private ServerTexts() {}
}

package dev.tidestream.server.keys;

import org.jspecify.annotations.Nullable;

/** One stream of a key: its place among those that may run at once, and what it uses. One thread at a time. */
public final class StreamLease implements AutoCloseable {
    /** Of a stream that nobody counts. */
    public static final StreamLease NONE = new StreamLease(null, false);

    private final @Nullable KeyAccount account;
    private final boolean countsPrompt;
    private boolean closed;

    /** @param countsPrompt whether its prompt counts; of the choices of one prompt, the first's does */
    StreamLease(@Nullable KeyAccount account, boolean countsPrompt) {
        this.account = account;
        this.countsPrompt = countsPrompt;
    }

    /** The stream was accepted, with a prompt of so many tokens. */
    public void accepted(int promptTokens) {
        if (account != null && countsPrompt) {
            account.used(promptTokens);
        }
    }

    /** A token was made. */
    public void token() {
        if (account != null) {
            account.used(1);
        }
    }

    /** The stream has ended; a second time does nothing. */
    @Override
    public void close() {
        if (account != null && !closed) {
            account.ended();
        }
        closed = true;
    }
}

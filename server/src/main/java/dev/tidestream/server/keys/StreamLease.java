package dev.tidestream.server.keys;

import java.util.concurrent.atomic.AtomicBoolean;

import org.jspecify.annotations.Nullable;

/** One stream of a key: its place among those that may run at once, and what it uses. Any thread. */
public final class StreamLease implements AutoCloseable {
    /** Of a stream that nobody counts. */
    public static final StreamLease NONE = new StreamLease(null, false, null);

    private final @Nullable KeyAccount account;
    private final boolean countsPrompt;
    private final @Nullable StreamTab tab;
    private final AtomicBoolean closed = new AtomicBoolean();

    /**
     * With a place that was taken.
     *
     * @param countsPrompt whether its prompt counts; of the choices of one prompt, the first's does
     * @param tab of a stream that other connections may have had before
     */
    StreamLease(@Nullable KeyAccount account, boolean countsPrompt, @Nullable StreamTab tab) {
        this.account = account;
        this.countsPrompt = countsPrompt;
        this.tab = tab;
    }

    /** The stream was accepted, with a prompt of so many tokens. */
    public void accepted(int promptTokens) {
        if (account != null && countsPrompt && (tab == null || tab.countPrompt())) {
            account.used(promptTokens);
        }
    }

    /**
     * A token was made.
     *
     * @param seq 0 for the first of the stream
     */
    public void token(int seq) {
        if (account != null && (tab == null || tab.countToken(seq))) {
            account.used(1);
        }
    }

    /** Whether it has a place of this account. */
    boolean isOpenOf(KeyAccount whose) {
        return account != null && account.sharesWith(whose) && !closed.get();
    }

    /** Another lease with the same place, which this one has no more; closed if this one is. */
    StreamLease handOver(StreamTab to) {
        StreamLease next = new StreamLease(account, countsPrompt, to);
        next.closed.set(closed.getAndSet(true));
        return next;
    }

    /** The stream has ended; a second time does nothing. */
    @Override
    public void close() {
        if (!closed.getAndSet(true) && account != null) {
            account.ended();
        }
    }
}

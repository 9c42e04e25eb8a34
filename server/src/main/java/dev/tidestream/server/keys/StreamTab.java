package dev.tidestream.server.keys;

import org.jspecify.annotations.Nullable;

/**
 * What is counted of one stream that connections have one after the other: its prompt and each token once, however often they are sent, and
 * one place among the streams of its key. Any thread.
 */
public final class StreamTab {
    private static final int NOTHING = -1;

    private int counted; // tokens; below 0: the prompt is not, either
    private @Nullable StreamLease holder;

    private StreamTab(int counted) {
        this.counted = counted;
    }

    /** Of a stream that has not begun. */
    public static StreamTab ofNew() {
        return new StreamTab(NOTHING);
    }

    /** Of a stream of which the prompt and so many tokens were counted before. */
    public static StreamTab counted(int tokens) {
        return new StreamTab(tokens);
    }

    /** Counts on this what the first connection's lease stands for, which is closed in its favour. */
    public synchronized StreamLease begin(StreamLease lease) {
        StreamLease first = lease.handOver(this);
        holder = first;
        return first;
    }

    /** The lease of the next connection: with the place of the one before, if that still has it. */
    synchronized StreamLease next(KeyAccount account) throws KeyLimitException {
        StreamLease before = holder;
        StreamLease next;
        if (before != null && before.isOpenOf(account)) {
            next = before.handOver(this);
        } else {
            next = account.streams(1, 1).getFirst().handOver(this);
            if (before != null) {
                before.close();
            }
        }
        holder = next;
        return next;
    }

    /** Whether the prompt is to be counted now. */
    synchronized boolean countPrompt() {
        boolean first = counted < 0;
        counted = Math.max(counted, 0);
        return first;
    }

    /** Whether a token is to be counted now. */
    synchronized boolean countToken(int seq) {
        boolean first = seq >= counted;
        counted = Math.max(counted, seq + 1);
        return first;
    }
}

package dev.tidestream.server.resume;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import dev.tidestream.server.engine.TokenEvent;

/** The tokens of one stream: the ids of all, and the newest as they were sent. Not safe for use by several threads. */
final class KeptTokens {
    /** As many are kept whatever they take: more than are ever on their way to a connection. */
    private static final int LEAST = 128;
    private static final int BYTES_OF_A_TOKEN = 120;
    private static final int BYTES_OF_A_CHOICE = 48;
    private static final int FIRST_IDS = 64;

    private final long maxBytes;
    private final List<TokenEvent.Token> newest = new ArrayList<>(); // behind some that are not kept any more
    private int dropped;
    private long newestBytes;
    private int[] ids;
    private int made;

    /** @param ids of the tokens that were made before {@code (n)} */
    KeptTokens(long maxBytes, int[] ids) {
        this.maxBytes = maxBytes;
        this.ids = Arrays.copyOf(ids, Math.max(FIRST_IDS, ids.length));
        this.made = ids.length;
    }

    /** How many there are, which is the {@code seq} of the next. */
    int made() {
        return made;
    }

    /** The {@code seq} of the first that is kept as it was sent. */
    int firstKept() {
        return made - kept();
    }

    void add(TokenEvent.Token token) {
        if (made == ids.length) {
            ids = Arrays.copyOf(ids, 2 * made);
        }
        ids[made++] = token.token();
        newest.add(token);
        newestBytes += bytes(token);
        while (newestBytes > maxBytes && kept() > LEAST) {
            newestBytes -= bytes(newest.get(dropped++));
        }
        if (dropped > newest.size() / 2) {
            newest.subList(0, dropped).clear();
            dropped = 0;
        }
    }

    private int kept() {
        return newest.size() - dropped;
    }

    /**
     * A token as it was sent.
     *
     * @param seq from {@link #firstKept} to before {@link #made}
     */
    TokenEvent.Token get(int seq) {
        return newest.get(dropped + seq - firstKept());
    }

    /** The ids from one {@code seq} to before another. */
    int[] ids(int from, int to) {
        return Arrays.copyOfRange(ids, from, to);
    }

    private static long bytes(TokenEvent.Token token) {
        return BYTES_OF_A_TOKEN + 2L * token.text().length() + (long) BYTES_OF_A_CHOICE * token.topLogprobs().size();
    }
}

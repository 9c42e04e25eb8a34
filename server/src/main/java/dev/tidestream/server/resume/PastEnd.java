package dev.tidestream.server.resume;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.server.engine.Continuation;
import dev.tidestream.server.engine.TokenEvent;

/**
 * How a stream had ended that is run again, for tokens that are not kept as they were sent or for its receipt. It holds until
 * the new run has come to the end as well.
 *
 * @param ids of all its tokens {@code (n)}; not copied
 * @param finish how it had ended
 * @param origin what had made the tokens
 * @param from the first token that is made again
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record PastEnd(int[] ids, TokenEvent.Finish finish, Continuation.@Nullable Origin origin, int from) {

    /** The same, when it is run again once more. */
    PastEnd runFrom(int again) {
        return new PastEnd(ids, finish, origin, Math.min(from, again));
    }

    /** Whether the stream had this token, and ended or went on with it; one that is cancelled ends where the new run hears of it. */
    boolean agreesWith(TokenEvent.Token token) {
        if (finish.reason() == FinishReason.CANCELLED) {
            return true;
        }
        boolean last = token.seq() == ids.length - 1;
        return token.seq() < ids.length && ids[token.seq()] == token.token() && last == (token.finish() != null);
    }
}

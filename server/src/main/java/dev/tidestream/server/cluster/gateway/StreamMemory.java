package dev.tidestream.server.cluster.gateway;

import java.util.Arrays;
import java.util.Objects;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.engine.Continuation;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.TokenEvent;

/**
 * What a stream is a function of: its request, how it was accepted, the tokens that its client has, and the version that made the last of
 * them. From these any worker makes the next token with the same bits. Four bytes a token. Not safe for use by several threads.
 */
final class StreamMemory {
    private static final int FIRST_IDS = 64;

    private final GenerateRequest request;
    private final int before; // tokens that it had when it came
    private int[] ids;
    private int made;
    private long lastVersion = Continuation.NEWEST;
    private int scores; // of the prompt, that the client has
    private TokenEvent.@Nullable Accepted accepted;

    StreamMemory(GenerateRequest request) {
        this.request = request;
        int[] known = request.continuation().generated();
        this.before = known.length;
        this.made = before;
        this.ids = Arrays.copyOf(known, Math.max(FIRST_IDS, before));
    }

    /** How it was accepted first; null if it was not. */
    TokenEvent.@Nullable Accepted accepted() {
        return accepted;
    }

    void accepted(TokenEvent.Accepted by) {
        accepted = by;
        lastVersion = by.weightsVersion();
    }

    /** The {@code seq} of the next token. */
    int next() {
        return made;
    }

    /** Whether a token was made for this client. */
    boolean hasTokens() {
        return made > before;
    }

    void token(TokenEvent.Token token) {
        if (made == ids.length) {
            ids = Arrays.copyOf(ids, 2 * made);
        }
        ids[made++] = token.token();
        lastVersion = token.weightsVersion();
    }

    /** Scores of the prompt that the client has. */
    int scores() {
        return scores;
    }

    void scored(int more) {
        scores += more;
    }

    /**
     * What a worker is asked for: the request as it came if nothing was said of it yet, else from where it is.
     *
     * @param waitedMs since it came; of its deadline, what is left counts
     * @return null if its deadline is over
     */
    @Nullable GenerateRequest from(long waitedMs) {
        Urgency urgency = request.options().urgency();
        GenerateRequest now = request;
        if (urgency.hasDeadline()) {
            long left = urgency.deadlineMs() - waitedMs;
            if (left < 1) {
                return null;
            }
            now = request.with(request.options().with(new Urgency(urgency.priority(), left)));
        }
        TokenEvent.Accepted first = accepted;
        if (first == null) {
            return now;
        }
        boolean follows = request.weights().follows();
        Continuation from = new Continuation(Arrays.copyOf(ids, made), follows ? Continuation.NEWEST : first.weightsVersion(),
                follows ? lastVersion : Continuation.NEWEST, origin(first), first.adapter() == null ? null : first.adapter().sha256());
        GenerateRequest continued = now.continued(first.seed(), from).with(now.options().renderedAt(first.renderedAt()));
        return hasTokens() ? continued.withPromptLogprobs(-1) : continued; // a prompt is scored before the first token
    }

    /** What made all tokens so far; null if it is not the same for all. */
    private Continuation.@Nullable Origin origin(TokenEvent.Accepted first) {
        Continuation.Origin here = Continuation.Origin.of(first);
        return before == 0 || Objects.equals(here, request.continuation().origin()) ? here : null;
    }

    /** The version that it needs; {@link Continuation#NEWEST}: any from {@link #leastVersion} on. */
    long pinnedVersion() {
        TokenEvent.Accepted first = accepted;
        return first == null || request.weights().follows() ? request.continuation().weightsVersion() : first.weightsVersion();
    }

    /** The lowest version that it takes; what it has seen does not come back. */
    long leastVersion() {
        return Math.max(request.continuation().atLeast(), lastVersion);
    }

    /** Whether its request names no weights, and none have made a token of it. */
    boolean takesAnyVersion() {
        return accepted == null && request.continuation().weightsVersion() < 0 && request.continuation().atLeast() < 0;
    }

    GenerateRequest request() {
        return request;
    }
}

package dev.tidestream.loadtest.run;

import java.util.HashSet;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;

/**
 * Whether one stream keeps the promises of the protocol: {@code accepted} first, {@code seq} 0, 1, 2, … without gap or
 * repetition, also over several connections, versions as its policy has it, no token beyond {@code max_tokens} or the credit,
 * usage as received, nothing after the end.
 */
final class StreamCheck {
    private final String name;
    private final int maxTokens;
    private final boolean follow;
    private final long leastVersion;
    private final boolean own;
    private final Promises promises;
    private long credit; // -1: unlimited
    private boolean cancelSent;
    private boolean accepted;
    private boolean ended;
    private long version;
    private int tokens;
    private int next; // seq after the highest that came
    private long seed;
    private @Nullable String resumeName;
    private @Nullable Resumptions resumes; // once it has gone on on another connection
    private boolean resuming; // and was not accepted there yet
    private final Set<TokenTally> tallies = new HashSet<>(); // who counts tokens that are lost or repeated from now on

    /**
     * @param leastVersion that the stream may start with: an administrator was told that it is published; 0 for none
     * @param own whether the frames are the server's own ({@link Target#framesAreItsOwn})
     */
    StreamCheck(String name, int maxTokens, boolean follow, long leastVersion, OptionalInt credit, boolean own,
            Promises promises) {
        this.name = name;
        this.maxTokens = maxTokens;
        this.follow = follow;
        this.leastVersion = leastVersion;
        this.credit = credit.orElse(-1);
        this.own = own;
        this.promises = promises;
    }

    void accept(ServerMessage message) {
        if (ended) {
            broken(Promise.FRAME, "a frame after the end: " + message);
            return;
        }
        if (resuming && !(message instanceof ServerMessage.Accepted || message instanceof ServerMessage.Failed)) {
            resuming = false; // said once
            broken(Promise.RESUMED, "goes on without accepted: " + message);
        }
        switch (message) {
            case ServerMessage.Accepted a -> accepted(a);
            case ServerMessage.Progress p -> {
                if (!accepted || tokens > 0) {
                    broken(Promise.ACCEPTED, "progress out of order: " + p);
                }
            }
            case ServerMessage.Token t -> token(t);
            case ServerMessage.Finished f -> finished(f);
            case ServerMessage.Failed f -> failed(f.code().wireName());
            case ServerMessage.WeightsChanged w -> broken(Promise.FRAME, "news of weights in a stream: " + w);
        }
    }

    private void accepted(ServerMessage.Accepted a) {
        Resumptions into = resumes;
        if (resuming && into != null) {
            resuming = false;
            into.resumed();
            boolean same = a.seed() == seed && Objects.equals(a.resume(), resumeName)
                    && (follow || a.weightsVersion() == version);
            check(Promise.RESUMED, same, () -> "resumed as another stream: seed before=%d, name before=%s, version before=%d: %s"
                    .formatted(seed, resumeName, version, a));
            return;
        }
        if (own) {
            check(Promise.ACCEPTED, !accepted, () -> "accepted twice: " + a);
        }
        if (leastVersion > 0) {
            check(Promise.ACKNOWLEDGED, a.weightsVersion() >= leastVersion, () -> "begins with old weights: version="
                    + a.weightsVersion() + ", acknowledged before the request=" + leastVersion);
        }
        accepted = true;
        seed = a.seed();
        resumeName = a.resume();
        version = a.weightsVersion();
    }

    private void token(ServerMessage.Token t) {
        if (!accepted) {
            broken(Promise.ACCEPTED, "a token before accepted: " + t);
        }
        if (own) {
            check(Promise.SEQUENCE, t.seq() == tokens, () -> (t.seq() > tokens ? "tokens lost"
                    : "a token repeated or out of order")
                    + ": seq=" + t.seq() + ", expected=" + tokens + ": " + t);
        }
        if (own) {
            tallies.forEach(tally -> tally.token(t.seq(), next));
        }
        next = Math.max(next, t.seq() + 1);
        if (version >= 0 && t.weightsVersion() >= 0) { // other servers have none
            version(t);
        }
        version = t.weightsVersion();
        tokens++;
        check(Promise.MAX_TOKENS, tokens <= maxTokens, () -> "more tokens than asked for: tokens=" + tokens + ", max_tokens="
                + maxTokens);
        if (credit >= 0) {
            check(Promise.CREDIT, tokens <= credit, () -> "more tokens than granted: tokens=" + tokens + ", credit=" + credit);
        }
    }

    private void version(ServerMessage.Token t) {
        if (follow) {
            check(Promise.FOLLOWING, t.weightsVersion() >= version, () ->
                    "an older weights version in a following stream: version="
                    + t.weightsVersion() + ", before=" + version + ": " + t);
        } else {
            check(Promise.PINNED, t.weightsVersion() == version, () -> "another weights version in a pinned stream: version="
                    + t.weightsVersion() + ", before=" + version + ": " + t);
        }
    }

    /** It was refused or broke off. */
    void failed(String code) {
        ended = true;
        if (resumes != null) {
            resumes.refused(code);
        }
    }

    /** It goes on on another connection: {@code accepted} comes again, and then the tokens behind those that came. */
    void resuming(Resumptions into) {
        resumes = into;
        resuming = true;
        tallied(into.tokens());
    }

    /** Whoever disturbs it counts what it loses from now on. */
    void tallied(TokenTally by) {
        tallies.add(by);
    }

    private void finished(ServerMessage.Finished f) {
        ended = true;
        if (!accepted) {
            broken(Promise.ACCEPTED, "finished before accepted: " + f);
        }
        if (!own) {
            return;
        }
        check(Promise.CANCELLED, f.reason() != FinishReason.CANCELLED || cancelSent, () ->
                "cancelled, and nobody asked for it: " + f);
        if (cancelSent) {
            promises.kept(Promise.CANCEL_ENDS); // one that does not end is judged when the patience is over
        }
        tallies.forEach(tally -> tally.end(f.usage().completionTokens(), next));
        int extra = f.usage().completionTokens() - tokens;
        boolean oneComputedUnsent = cancelSent && credit >= 0 && extra == 1; // the protocol allows it
        check(Promise.USAGE, extra == 0 || oneComputedUnsent, () -> "usage is not what came: received=" + tokens + ", usage="
                + f.usage().completionTokens());
    }

    void granted(int n) {
        if (credit >= 0) {
            credit += n;
        }
    }

    void cancelSent() {
        cancelSent = true;
    }

    private void check(Promise promise, boolean kept, Supplier<String> otherwise) {
        promises.check(promise, kept, () -> name + ": " + otherwise.get());
    }

    void broken(Promise promise, String text) {
        promises.broken(promise, name + ": " + text);
    }

    int tokens() {
        return tokens;
    }

    /** The highest {@code seq} that came; -1: none. */
    int lastSeq() {
        return next - 1;
    }

    /** What the stream is resumed by; null: it cannot be. */
    @Nullable
    String resumeName() {
        return resumeName;
    }

    boolean ended() {
        return ended;
    }

    boolean accepted() {
        return accepted;
    }

    /** Whether the server may send a token now. */
    boolean hasCredit() {
        return credit < 0 || tokens < credit;
    }

    boolean follows() {
        return follow;
    }

    /** Of the weights that made the last token; -1 if the server does not say. */
    long weightsVersion() {
        return version;
    }
}

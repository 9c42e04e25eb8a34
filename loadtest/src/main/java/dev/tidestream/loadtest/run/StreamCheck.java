package dev.tidestream.loadtest.run;

import java.util.OptionalInt;
import java.util.function.Consumer;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;

/**
 * Whether one stream keeps the promises of the protocol: {@code accepted} first, {@code seq} 0, 1, 2, … without gap or
 * repetition,
 * versions as its policy has it, no token beyond {@code max_tokens} or the credit, usage as received, nothing after the end.
 */
final class StreamCheck {
    private final String name;
    private final int maxTokens;
    private final boolean follow;
    private final long leastVersion;
    private final boolean countsFrames;
    private final Consumer<String> breaches;
    private long credit; // -1: unlimited
    private boolean cancelSent;
    private boolean accepted;
    private boolean ended;
    private long version;
    private int tokens;

    /**
     * @param leastVersion that the stream may start with: an administrator was told that it is published
     * @param countsFrames whether usage must equal the token frames
     */
    StreamCheck(String name, int maxTokens, boolean follow, long leastVersion, OptionalInt credit, boolean countsFrames,
            Consumer<String> breaches) {
        this.name = name;
        this.maxTokens = maxTokens;
        this.follow = follow;
        this.leastVersion = leastVersion;
        this.credit = credit.orElse(-1);
        this.countsFrames = countsFrames;
        this.breaches = breaches;
    }

    void accept(ServerMessage message) {
        if (ended) {
            breach("a frame after the end: " + message);
            return;
        }
        switch (message) {
            case ServerMessage.Accepted a -> accepted(a);
            case ServerMessage.Progress p -> {
                if (!accepted || tokens > 0) {
                    breach("progress out of order: " + p);
                }
            }
            case ServerMessage.Token t -> token(t);
            case ServerMessage.Finished f -> finished(f);
            case ServerMessage.Failed _ -> ended = true;
            case ServerMessage.WeightsChanged w -> breach("news of weights in a stream: " + w);
        }
    }

    private void accepted(ServerMessage.Accepted a) {
        if (accepted) {
            breach("accepted twice: " + a);
        }
        if (a.weightsVersion() < leastVersion) {
            breach("begins with old weights: version=" + a.weightsVersion() + ", acknowledged before the request="
                    + leastVersion);
        }
        accepted = true;
        version = a.weightsVersion();
    }

    private void token(ServerMessage.Token t) {
        if (!accepted) {
            breach("a token before accepted: " + t);
        }
        if (t.seq() > tokens) {
            breach("tokens lost: seq=" + t.seq() + ", expected=" + tokens + ": " + t);
        } else if (t.seq() < tokens) {
            breach("a token repeated or out of order: seq=" + t.seq() + ", expected=" + tokens + ": " + t);
        }
        if (follow ? t.weightsVersion() < version : t.weightsVersion() != version) {
            breach((follow ? "an older weights version in a following stream: version="
                    : "another weights version in a pinned stream: "
                    + "version=") + t.weightsVersion() + ", before=" + version + ": " + t);
        }
        version = t.weightsVersion();
        tokens++;
        if (tokens > maxTokens) {
            breach("more tokens than asked for: tokens=" + tokens + ", max_tokens=" + maxTokens);
        }
        if (credit >= 0 && tokens > credit) {
            breach("more tokens than granted: tokens=" + tokens + ", credit=" + credit);
        }
    }

    private void finished(ServerMessage.Finished f) {
        ended = true;
        if (!accepted) {
            breach("finished before accepted: " + f);
        }
        if (f.reason() == FinishReason.CANCELLED && !cancelSent) {
            breach("cancelled, and nobody asked for it: " + f);
        }
        int extra = f.usage().completionTokens() - tokens;
        boolean oneComputedUnsent = cancelSent && credit >= 0 && extra == 1; // the protocol allows it
        if (countsFrames && extra != 0 && !oneComputedUnsent) {
            breach("usage is not what came: received=" + tokens + ", usage=" + f.usage().completionTokens());
        }
    }

    void granted(int n) {
        if (credit >= 0) {
            credit += n;
        }
    }

    void cancelSent() {
        cancelSent = true;
    }

    void breach(String text) {
        breaches.accept(name + ": " + text);
    }

    int tokens() {
        return tokens;
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
}

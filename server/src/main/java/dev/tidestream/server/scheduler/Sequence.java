package dev.tidestream.server.scheduler;

import java.util.Arrays;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Lease;

/**
 * All state of one stream. Its tokens are prompt and output in one array; those the cache does not hold yet are pending. Prompt
 * and decode are the same thing: a slice of pending tokens, whose last one needs logits when none is left.
 */
final class Sequence {
    private static final double NS_PER_MS = 1e6;
    private static final double NS_PER_S = 1e9;

    private final SequenceRequest request;
    private final int maxTokens;
    private final StreamText text;
    private Lease lease;
    private @Nullable KvCache cache;
    private int[] tokens; // (tokenCount): prompt, then output
    private int tokenCount;
    private boolean accepted;
    private boolean wasAdmitted;

    private long admittedNs;
    private long firstTokenNs;
    private long lastTokenNs;
    private long lastProgressNs;
    private boolean starving;
    private boolean starvedSinceToken;
    private long starvingSinceNs;

    /** @param contextLength more than the prompt has */
    Sequence(SequenceRequest request, Lease lease, int contextLength) {
        this.request = request;
        this.lease = lease;
        this.maxTokens = Math.min(request.maxTokens(), contextLength - request.prompt().length);
        this.tokens = request.prompt();
        this.tokenCount = tokens.length;
        this.text = new StreamText(request.detokenizer(), request.stopMatcher(), request.endOfGeneration());
    }

    long stream() {
        return request.stream();
    }

    SequenceClient client() {
        return request.client();
    }

    Lease lease() {
        return lease;
    }

    /** Positions it may need in all. */
    int positions() {
        return request.prompt().length + maxTokens;
    }

    /**
     * Moves on to the newest epoch, if that is what the client asked for. With other weights the cache may have to go: all tokens
     * are pending then, and go through the model like a prompt.
     */
    void follow(CurrentEpoch epochs) {
        if (!request.weights().follows() || epochs.isCurrent(lease)) {
            return;
        }
        Lease newest = epochs.lease();
        boolean otherWeights = newest.epoch().weightsVersion() != lease.epoch().weightsVersion();
        lease.close();
        lease = newest;
        if (otherWeights && request.weights() == WeightsPolicy.FOLLOW_AND_RECOMPUTE && cache != null) {
            cache.truncate(0);
        }
    }

    /** Says {@code accepted}, once, when there is demand for it. */
    void announce() {
        if (!accepted && client().demand() > 0) {
            accepted = true;
            client().accepted(lease.epoch().weightsVersion(), request.prompt().length);
        }
    }

    void admit(KvCache lent, long nowNs) {
        cache = lent;
        wasAdmitted = true;
        tokens = Arrays.copyOf(request.prompt(), positions());
        admittedNs = nowNs;
        lastProgressNs = nowNs;
    }

    /** Whether it holds KV blocks. */
    boolean admitted() {
        return cache != null;
    }

    /** Gives up cache and lease. */
    void release(KvCachePool pool) {
        KvCache lent = cache;
        cache = null;
        try {
            lease.close();
        } finally {
            if (lent != null) {
                pool.release(lent);
            }
        }
    }

    private KvCache cache() {
        if (cache == null) {
            throw new IllegalStateException("sequence has no KV cache: stream=" + stream());
        }
        return cache;
    }

    /** Whether it has made a token and only that one is pending, so that one more row makes one more token. */
    boolean decoding() {
        return tokenCount > request.prompt().length && pendingRows() == 1;
    }

    int pendingRows() {
        return tokenCount - cache().length();
    }

    /** The next {@code count} pending tokens. */
    Slice slice(int count) {
        LogitsRows logits = count == pendingRows() ? LogitsRows.LAST : LogitsRows.NONE;
        return new Slice(cache(), tokens, cache().length(), count, logits);
    }

    /** Draws the token that follows from a row of logits. Touches the sampler alone, so any one thread may call it. */
    Sample draw(float[] logits, int offset) {
        return request.sampler().sample(logits, offset);
    }

    /** Takes the token that was drawn; whether it was the last. */
    boolean take(Sample sample, long nowNs, TokenObserver observer) {
        int seq = generated();
        tokens[tokenCount++] = sample.token();
        if (seq == 0) {
            firstTokenNs = nowNs;
            observer.firstToken(nowNs - request.arrivalNs());
        } else if (!starvedSinceToken) {
            observer.nextToken(nowNs - lastTokenNs);
        }
        lastTokenNs = nowNs;
        starvedSinceToken = false;
        boolean full = generated() == maxTokens;
        StopMatcher.Result piece = text.append(sample.token(), full);
        Ending ending = piece.stopped()
                ? ending(FinishReason.STOP, nowNs)
                : full ? ending(FinishReason.LENGTH, nowNs) : null;
        client().token(new GeneratedToken(seq, sample, piece.text(), lease.epoch().weightsVersion(), ending));
        return ending != null;
    }

    /** Says how far the prompt is, if it takes long and the client has demand. */
    void reportProgress(long nowNs, long intervalNs) {
        if (nowNs - lastProgressNs >= intervalNs && client().demand() > 0) {
            lastProgressNs = nowNs;
            client().progress(cache().length(), tokenCount);
        }
    }

    /** Whether there is no demand now; remembers since when. */
    boolean starving(long nowNs) {
        if (client().demand() > 0) {
            starving = false;
        } else if (!starving) {
            starving = true;
            starvedSinceToken = true;
            starvingSinceNs = nowNs;
        }
        return starving;
    }

    /** How long a starving sequence has been so. */
    long starvedNs(long nowNs) {
        return nowNs - starvingSinceNs;
    }

    Ending ending(FinishReason reason, long nowNs) {
        int generated = generated();
        boolean started = generated > 0;
        double tokensPerS = lastTokenNs > firstTokenNs ? (generated - 1) * NS_PER_S / (lastTokenNs - firstTokenNs) : 0;
        Timing timing = new Timing(
                ((wasAdmitted ? admittedNs : nowNs) - request.arrivalNs()) / NS_PER_MS,
                started ? (firstTokenNs - request.arrivalNs()) / NS_PER_MS : 0,
                (nowNs - request.arrivalNs()) / NS_PER_MS,
                tokensPerS);
        return new Ending(reason, new Usage(request.prompt().length, generated), timing);
    }

    private int generated() {
        return tokenCount - request.prompt().length;
    }
}

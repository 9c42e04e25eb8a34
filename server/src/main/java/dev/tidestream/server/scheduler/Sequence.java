package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.protocol.ErrorCode;
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
    private static final int LEAST_TOKENS = 64;

    private final SequenceRequest request;
    private final int maxTokens;
    private final StreamText text;
    private Lease lease;
    private final long arrival;
    private @Nullable KvCache cache; // may be kept without a slot
    private int[] tokens; // (at least tokenCount): prompt, then output
    private int tokenCount;
    private int scored; // positions whose logits have told how likely the next token of the prompt is
    private int furthest; // most positions that the cache has held
    private boolean accepted;
    private boolean wasAdmitted;

    private long admittedNs;
    private long firstTokenNs;
    private long lastTokenNs;
    private long lastProgressNs;
    private boolean stalled;
    private boolean stalledSinceToken;
    private long stalledSinceNs;

    /**
     * A sequence that waits for its turn.
     *
     * @param arrival rises from one sequence to the next
     * @param contextLength more than the prompt has
     */
    Sequence(SequenceRequest request, long arrival, Lease lease, int contextLength) {
        this.request = request;
        this.arrival = arrival;
        this.lease = lease;
        this.maxTokens = Math.min(request.maxTokens(), contextLength - request.prompt().length);
        int[] generated = request.generated();
        this.tokens = request.prompt();
        this.tokenCount = tokens.length + generated.length;
        this.text = new StreamText(request.detokenizer(), request.stopMatcher(), request.endOfGeneration());
        if (generated.length > 0) {
            this.tokens = Arrays.copyOf(tokens, tokenCount);
            System.arraycopy(generated, 0, tokens, request.prompt().length, generated.length);
            text.goOnAfter(generated);
        }
    }

    long stream() {
        return request.stream();
    }

    Object connection() {
        return request.connection();
    }

    long arrival() {
        return arrival;
    }

    SequenceClient client() {
        return request.client();
    }

    /** What it holds, KV blocks apart; does not change while it has no slot. */
    long heldBytes() {
        return request.memory().bytes(tokens.length);
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

    /** Whether it has said so. */
    boolean accepted() {
        return accepted;
    }

    /** Says {@code accepted}, once, when there is demand for it. */
    void announce() {
        if (!accepted && client().demand() > 0) {
            accepted = true;
            client().accepted(lease.epoch().weightsVersion(), lease.epoch().headMode(), request.prompt().length);
        }
    }

    /** Takes a slot. What it had computed before is still there if its blocks are. */
    void admit(long nowNs) {
        lastProgressNs = nowNs;
        if (!wasAdmitted) {
            wasAdmitted = true;
            admittedNs = nowNs;
        }
    }

    /** Takes KV blocks; all its tokens are pending then. */
    void receive(KvCache lent) {
        cache = lent;
    }

    boolean holdsBlocks() {
        return cache != null;
    }

    /** KV blocks that it holds. */
    int blocks() {
        return cache == null ? 0 : cache.blocks().size();
    }

    /** Gives its KV blocks back; with others it goes on with the same bits, after all its tokens were computed anew. */
    void giveBackBlocks(KvCachePool pool) {
        KvCache lent = cache();
        cache = null;
        pool.release(lent);
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

    /** Whether tokens of the prompt are yet to be scored, by the positions before them. */
    private boolean scoring() {
        return request.promptLogprobs() >= 0 && scored < lastOfPrompt();
    }

    private int lastOfPrompt() {
        return request.prompt().length - 1;
    }

    /** Whether nothing is left to be done: the prompt is scored, and no token is wanted. */
    boolean done() {
        return maxTokens == 0 && !scoring();
    }

    /** The next pending token, to make another of. */
    Slice decodeSlice() {
        return slice(1, LogitsRows.LAST);
    }

    /**
     * The next pending tokens of a prompt, or of all that has to be computed anew.
     *
     * @param most of them, at least 1
     * @param mostScored of them if they are to be scored; null if none may be
     */
    @Nullable Slice prefillSlice(int most, int mostScored) {
        if (!scoring()) {
            int count = Math.min(most, pendingRows());
            return slice(count, count == pendingRows() ? LogitsRows.LAST : LogitsRows.NONE);
        }
        int length = cache().length();
        if (length < scored) {
            return slice(Math.min(most, scored - length), LogitsRows.NONE);
        }
        int count = Math.min(Math.min(most, mostScored), lastOfPrompt() - length);
        return count == 0 ? null : slice(count, LogitsRows.ALL);
    }

    private Slice slice(int count, LogitsRows logits) {
        return new Slice(cache(), tokens, cache().length(), count, logits);
    }

    /** Whether the prompt is behind it once this slice is. */
    boolean endsPrompt(Slice slice) {
        return slice.logits() == LogitsRows.LAST || (maxTokens == 0 && slice.from() + slice.count() == lastOfPrompt());
    }

    /**
     * Scores the tokens that follow those of a slice, and tells the client.
     *
     * @param row of the logits of the slice's first token
     */
    void score(Slice slice, float[] logits, int row, int vocabularySize) {
        List<Sample> scores = new ArrayList<>(slice.count());
        for (int i = 0; i < slice.count(); i++) {
            int next = tokens[slice.from() + i + 1];
            scores.add(request.sampler().score(logits, (row + i) * vocabularySize, next, request.promptLogprobs()));
        }
        scored = slice.from() + slice.count();
        client().scored(scores);
    }

    /** Notes that {@code rows} more positions are filled; how many of them had been before. */
    int advanced(int rows) {
        int length = cache().length();
        int before = Math.clamp(furthest - (length - rows), 0, rows);
        furthest = Math.max(furthest, length);
        return before;
    }

    /** Samples the token that follows from a row of logits. Touches the sampler alone, so any one thread may call it. */
    Sample sample(float[] logits, int offset) {
        return request.sampler().sample(logits, offset);
    }

    /** Takes the token that was sampled; whether it was the last. */
    boolean take(Sample sample, long nowNs, TokenObserver observer) {
        int seq = generated();
        if (tokenCount == tokens.length) {
            tokens = Arrays.copyOf(tokens, (int) Math.min(positions(), Math.max(LEAST_TOKENS, 2L * tokenCount)));
        }
        tokens[tokenCount++] = sample.token();
        if (seq == request.generated().length) {
            firstTokenNs = nowNs;
            observer.firstToken(nowNs - request.arrivalNs());
        } else if (!stalledSinceToken) {
            observer.nextToken(nowNs - lastTokenNs);
        }
        lastTokenNs = nowNs;
        stalledSinceToken = false;
        boolean full = generated() == maxTokens;
        StopMatcher.Result piece = text.append(sample.token(), full);
        Completion completion = piece.stopped()
                ? completion(FinishReason.STOP, nowNs)
                : full ? completion(FinishReason.LENGTH, nowNs) : null;
        if (completion != null) {
            observer.ended(new StreamEnd(stream(), StreamEnd.Outcome.valueOf(completion.reason().name()), null, completion.usage(),
                    completion.timing(), lease.epoch().weightsVersion()));
        }
        client().token(new GeneratedToken(seq, sample, piece.text(), lease.epoch().weightsVersion(), completion));
        return completion != null;
    }

    /**
     * Says how far the prompt is, if it takes long and the client has demand. Never after the first token, when a cache is
     * computed anew.
     *
     * @param toSpare demand that must be left for the token, so that the sequence is not without while others wait for its slot
     */
    void reportProgress(long nowNs, long intervalNs, int toSpare) {
        if (generated() == 0 && nowNs - lastProgressNs >= intervalNs && client().demand() > toSpare) {
            lastProgressNs = nowNs;
            client().progress(cache().length(), tokenCount);
        }
    }

    /** Looks whether there is demand, and remembers since when there is none; whether there is none. */
    boolean checkStalled(long nowNs) {
        if (hasDemand()) {
            stalled = false;
        } else if (!stalled) {
            stalled = true;
            stalledSinceToken = true;
            stalledSinceNs = nowNs;
        }
        return stalled;
    }

    /** Whether there was no demand when it was last checked, and is none now. */
    boolean stalled() {
        return stalled && !hasDemand();
    }

    /** Whether a token that is computed now can be delivered; not before {@code accepted}, which comes first. */
    boolean hasDemand() {
        return accepted && client().demand() > 0;
    }

    /** Since when a stalled sequence has been so. */
    long stalledSinceNs() {
        return stalledSinceNs;
    }

    /** How it has ended, or does so now. */
    StreamEnd end(StreamEnd.Outcome outcome, @Nullable ErrorCode code, long nowNs) {
        Completion now = completion(FinishReason.CANCELLED, nowNs);
        return new StreamEnd(stream(), outcome, code, now.usage(), now.timing(), lease.epoch().weightsVersion());
    }

    /** How it ends without another token. */
    Completion completedEarly(long nowNs) {
        return completion(done() ? FinishReason.LENGTH : FinishReason.CANCELLED, nowNs);
    }

    private Completion completion(FinishReason reason, long nowNs) {
        int generated = generated();
        int made = generated - request.generated().length;
        boolean started = made > 0;
        double tokensPerS = lastTokenNs > firstTokenNs ? (made - 1) * NS_PER_S / (lastTokenNs - firstTokenNs) : 0;
        Timing timing = new Timing(
                ((wasAdmitted ? admittedNs : nowNs) - request.arrivalNs()) / NS_PER_MS,
                started ? (firstTokenNs - request.arrivalNs()) / NS_PER_MS : 0,
                (nowNs - request.arrivalNs()) / NS_PER_MS,
                tokensPerS);
        return new Completion(reason, new Usage(request.prompt().length, generated), timing);
    }

    private int generated() {
        return tokenCount - request.prompt().length;
    }
}

package dev.tidestream.server.scheduler;

import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Usage;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.scheduler.fair.Standing;
import dev.tidestream.server.scheduler.kv.KvCachePool;
import dev.tidestream.server.scheduler.kv.LentCache;
import dev.tidestream.server.scheduler.weights.SequenceWeights;

/**
 * All state of one stream. Its tokens are prompt and output in one array; those the cache does not hold yet are pending. Prompt
 * and decode are the same thing: a slice of pending tokens, whose last one needs logits when none is left.
 */
final class Sequence {
    private static final int LEAST_TOKENS = 64;
    final SequenceRequest request;
    private final int maxTokens;
    private final StreamText text;
    private final SequenceWeights weights;
    private final Standing standing;
    private @Nullable LentCache lent; // may be kept without a slot
    private int[] tokens; // (at least tokenCount): prompt, then output
    private int tokenCount;
    private final PromptScores scores;
    private int furthest; // most positions that the cache has held
    private int cachedTokens; // of the prompt: others had computed them
    private boolean accepted;
    private final SequenceTimes times;
    private long lastProgressNs;

    /**
     * A sequence that waits for its turn.
     *
     * @param arrival rises from one sequence to the next
     * @param weights closed with it
     * @param contextLength more than the prompt has
     */
    Sequence(SequenceRequest request, long arrival, SequenceWeights weights, int contextLength) {
        this.request = request;
        this.standing = new Standing(request.party(), request.urgency().priority(), arrival);
        this.weights = weights;
        this.maxTokens = Math.min(request.maxTokens(), contextLength - request.prompt().length);
        this.tokens = request.tokens();
        this.tokenCount = tokens.length;
        this.scores = new PromptScores(request);
        this.times = new SequenceTimes(request.arrivalNs());
        this.text = new StreamText(request.detokenizer(), request.stopMatcher(), request.endOfGeneration());
    }

    long stream() {
        return request.stream();
    }

    Standing standing() {
        return standing;
    }

    /** Whether it is a batch stream whose slot and blocks are any interactive one's that needs them. */
    boolean givesWay() {
        return standing.givesWay(tokenCount);
    }

    boolean hadSlot() {
        return standing.hadSlot(tokenCount);
    }

    /** Positions of its tokens that neither it nor, as far as is kept, another has computed: what its next token costs. */
    int newRows(KvCachePool pool) {
        return tokenCount - Math.max(furthest,
                pool.kept(positions(), weights.version(), weights.kvAdapter(), tokens, reusablePositions()));
    }

    SequenceRequest request() {
        return request;
    }

    PromptScores scores() {
        return scores;
    }

    /** What it holds, KV blocks apart; does not change while it has no slot. */
    long heldBytes() {
        return request.memory().bytes(tokens.length);
    }

    Lease lease() {
        return weights.lease();
    }

    /** Positions it may need in all. */
    int positions() {
        return request.prompt().length + maxTokens;
    }

    /**
     * Moves on to the newest epoch, if that is what the client asked for. With other weights the cache may have to go: all tokens
     * are pending then, and go through the model like a prompt. If it is kept, what is in it from there on is of use to nobody
     * else.
     */
    void follow(CurrentEpoch epochs, KvCachePool pool) {
        boolean otherWeights = request.weights().follows() && weights.follow(epochs);
        if (!otherWeights || lent == null || lent.cache().length() == 0) {
            return;
        }
        if (request.weights() == WeightsPolicy.FOLLOW_AND_RECOMPUTE) {
            startOver(pool);
        } else {
            lent.stopSharing();
        }
    }

    /** Goes on with the newest weights, computed anew, if it was put on others for trial; else nothing happens. */
    boolean leaveTrial(CurrentEpoch epochs, KvCachePool pool) {
        if (!weights.leaveTrial(epochs)) {
            return false;
        }
        startOver(pool);
        return true;
    }

    private void startOver(KvCachePool pool) {
        giveBackBlocks(pool);
        lent = pool.open(positions(), weights.kvAdapter());
    }

    /** Whether it has said so. */
    boolean accepted() {
        return accepted;
    }

    /** Says {@code accepted}, once, when there is demand for it. */
    void announce() {
        if (!accepted && request.client().demand() > 0) {
            accepted = true;
            request.client().accepted(weights.version(), lease().epoch().headMode(), request.prompt().length);
        }
    }

    /**
     * Takes a slot. What it had computed before is still there if its blocks are.
     *
     * @param byShare whether it has it though interactive ones wait
     */
    void admit(KvCachePool pool, boolean byShare, long nowNs) {
        standing.slot(tokenCount, byShare);
        if (lent == null) {
            lent = pool.open(positions(), weights.kvAdapter());
        }
        lastProgressNs = nowNs;
        times.admitted(nowNs);
    }

    /** What it has of the KV memory; null if it has given that back, or never had a slot. */
    @Nullable LentCache lent() {
        return lent;
    }

    /** KV blocks that it has, shared ones too. */
    int blocks() {
        return lent == null ? 0 : lent.blocks();
    }

    /** Gives its KV blocks back; with others it goes on with the same bits, after its tokens were computed anew. */
    void giveBackBlocks(KvCachePool pool) {
        LentCache leaving = lent;
        lent = null;
        if (leaving != null) {
            pool.release(leaving);
        }
    }

    /** Gives up cache and weights. */
    void release(KvCachePool pool) {
        try {
            weights.close();
        } finally {
            giveBackBlocks(pool);
        }
    }

    private LentCache requireLent() {
        if (lent == null) {
            throw new IllegalStateException("sequence has no KV cache: stream=" + stream());
        }
        return lent;
    }

    private int length() {
        return requireLent().cache().length();
    }

    /** Positions that it has blocks for and has not filled: rows that it can have now. */
    int room() {
        return lent == null ? 0 : lent.room();
    }

    /**
     * Makes room for some rows, as far as blocks are available.
     *
     * @return whether there is
     * @throws OutOfMemoryError if the system has less memory than the pool was promised
     */
    boolean makeRoom(KvCachePool pool, int rows) {
        return pool.lend(requireLent(), length() + rows);
    }

    /** Takes blocks that others have filled with its next tokens, but for the last token's: its logits are wanted. */
    void reusePrefix(KvCachePool pool) {
        LentCache to = requireLent();
        int reused = pool.reuse(to, weights.version(), tokens, reusablePositions());
        if (reused > 0) {
            int length = to.cache().length();
            cachedTokens += Math.clamp(Math.min(length, request.prompt().length) - furthest, 0, reused);
            furthest = Math.max(furthest, length);
        }
    }

    /** Its positions whose logits nobody wants: neither for a token nor for a score. */
    private int reusablePositions() {
        return scores.pending() ? scores.scored() : tokenCount - 1;
    }

    /** Whether it can take its next block from another that fills it now, or that comes before it. */
    boolean waitsFor(Sequence other) {
        return (other.length() > length() || other.standing.arrival() < standing.arrival())
                && other.weights.version() == weights.version()
                && requireLent().needsWhatFills(other.requireLent(), tokens, reusablePositions(), other.tokens, other.tokenCount);
    }

    /** Of the blocks that the tokens it has need, how many it would share with sequences that have them now. */
    int blocksOfOthers(KvCachePool pool) {
        return blocks() > 0 ? 0 : pool.lentToOthers(weights.version(), weights.kvAdapter(), tokens, reusablePositions());
    }

    /** Blocks that these give it beyond {@link #blocksOfOthers}, if all of them are given back. */
    int returnedBy(List<LentCache> caches, KvCachePool pool) {
        return pool.returnedBy(caches, weights.version(), weights.kvAdapter(), tokens, blocks() > 0 ? 0 : reusablePositions());
    }

    /** KV blocks that it needs for the tokens it has, and has not. */
    int missingBlocks(KvCachePool pool) {
        return Math.max(0, pool.blocksFor(tokenCount) - blocks());
    }

    /** Whether it has made a token and only that one is pending, so that one more row makes one more token. */
    boolean decoding() {
        return tokenCount > request.prompt().length && pendingRows() == 1;
    }

    int pendingRows() {
        return tokenCount - length();
    }

    /** Whether the next rows of it are scored. */
    boolean scoresNow() {
        return scores.pending() && length() >= scores.scored();
    }

    /** Whether nothing is left to be done: the prompt is scored, and no token is wanted. */
    boolean done() {
        return maxTokens == 0 && !scores.pending();
    }

    /**
     * Rows that a step may take of a prompt, or of all that has to be computed anew.
     *
     * @param most of them, at least 1
     * @param mostScored of them if they are to be scored
     * @return 0 if they are to be scored and none may be
     */
    int prefillRows(int most, int mostScored) {
        if (!scores.pending()) {
            return Math.min(most, pendingRows());
        }
        int length = length();
        return length < scores.scored()
                ? Math.min(most, scores.scored() - length)
                : Math.min(Math.min(most, mostScored), scores.lastPosition() - length);
    }

    /** The next tokens, no more than {@link #prefillRows}. */
    Slice prefillSlice(int rows) {
        if (scores.pending()) {
            return slice(rows, length() < scores.scored() ? LogitsRows.NONE : LogitsRows.ALL);
        }
        return slice(rows, rows == pendingRows() ? LogitsRows.LAST : LogitsRows.NONE);
    }

    private Slice slice(int count, LogitsRows logits) {
        return new Slice(requireLent().cache(), tokens, length(), count, logits, weights.adapter());
    }

    /**
     * Notes that {@code rows} more positions are filled, and shares what is full; how many of these rows had been computed
     * before.
     */
    int advanced(int rows, KvCachePool pool) {
        LentCache filled = requireLent();
        int length = filled.cache().length();
        int before = Math.clamp(furthest - (length - rows), 0, rows);
        furthest = Math.max(furthest, length);
        pool.share(filled, weights.version(), tokens);
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
        times.token(seq - request.generated().length, nowNs, observer);
        boolean full = generated() == maxTokens;
        StopMatcher.Result piece = text.append(sample.token(), full);
        FinishReason reason = piece.stopped() ? FinishReason.STOP : FinishReason.LENGTH;
        Completion completion = piece.stopped() || full ? completion(reason, nowNs) : null;
        if (completion != null) {
            observer.ended(end(StreamEnd.Outcome.valueOf(completion.reason().name()), null, completion));
        }
        request.client().token(
                new GeneratedToken(seq, sample, piece.text(), weights.version(), lease().epoch().headMode(), completion));
        return completion != null;
    }

    /**
     * Says how far the prompt is, if it takes long and the client has demand. Never after the first token, when a cache is
     * computed anew.
     *
     * @param toSpare demand that must be left for the token, so that the sequence is not without while others wait for its slot
     */
    void reportProgress(long nowNs, long intervalNs, int toSpare) {
        if (generated() == 0 && nowNs - lastProgressNs >= intervalNs && request.client().demand() > toSpare) {
            lastProgressNs = nowNs;
            request.client().progress(length(), tokenCount);
        }
    }

    /** Looks whether there is demand, and remembers since when there is none; whether there is none. */
    boolean checkStalled(long nowNs) {
        return times.stalls(hasDemand(), nowNs);
    }

    /** Whether there was no demand when it was last checked, and is none now. */
    boolean stalled() {
        return times.stalled() && !hasDemand();
    }

    /** Whether a token that is computed now can be delivered; not before {@code accepted}, which comes first. */
    boolean hasDemand() {
        return accepted && request.client().demand() > 0;
    }

    /** Since when a stalled sequence has been so. */
    long stalledSinceNs() {
        return times.stalledSinceNs();
    }

    /** How it has ended, or does so now. */
    StreamEnd end(StreamEnd.Outcome outcome, @Nullable ErrorCode code, long nowNs) {
        return end(outcome, code, completion(FinishReason.CANCELLED, nowNs));
    }

    private StreamEnd end(StreamEnd.Outcome outcome, @Nullable ErrorCode code, Completion completion) {
        return new StreamEnd(stream(), outcome, code, completion, weights.version(), request.client().trace());
    }

    /** How it ends without another token. */
    Completion completedEarly(long nowNs) {
        return completion(done() ? FinishReason.LENGTH : FinishReason.CANCELLED, nowNs);
    }

    private Completion completion(FinishReason reason, long nowNs) {
        Usage usage = new Usage(request.prompt().length, generated(), cachedTokens);
        return new Completion(reason, usage, times.timing(generated() - request.generated().length, nowNs));
    }

    /** Tokens that it has made. */
    int generated() {
        return tokenCount - request.prompt().length;
    }
}

package dev.tidestream.server.keys;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/**
 * What one key may use, and has used. Any thread.
 *
 * <p>Requests are counted when they come. Tokens are counted as they are made: those of a prompt when its stream is accepted, each
 * generated one when it comes. So a stream is never cut by the budget of its own key, and nothing has to be known in advance; what a stream
 * uses beyond the minute's budget is a debt, and the key's next request waits until it is refilled.
 */
public final class KeyAccount {
    private static final long STREAM_RETRY_MS = 1000; // nobody knows when one ends

    private final Owner owner;
    private final LongSupplier nanoTime;
    private final Consumer<KeyRefusal> refused;
    private final Ledger ledger;
    private volatile boolean revoked;

    /** What was used and may be, of all keys that had the name one after the other. */
    private static final class Ledger {
        final AtomicInteger streams = new AtomicInteger();
        final LongAdder requests = new LongAdder();
        final LongAdder tokens = new LongAdder();
        volatile Budget budget;

        Ledger(Budget budget) {
            this.budget = budget;
        }
    }

    private record Budget(KeyLimits limits, @Nullable Allowance requests, @Nullable Allowance tokens) {
        static Budget of(KeyLimits limits, LongSupplier nanoTime) {
            return new Budget(limits,
                    limits.requestsPerMinute() == 0 ? null : new Allowance(limits.requestsPerMinute(), nanoTime),
                    limits.tokensPerMinute() == 0 ? null : new Allowance(limits.tokensPerMinute(), nanoTime));
        }
    }

    /**
     * Of a key that has used nothing.
     *
     * @param refused told of every refusal
     */
    KeyAccount(Owner owner, KeyLimits limits, LongSupplier nanoTime, Consumer<KeyRefusal> refused) {
        this.owner = owner;
        this.nanoTime = nanoTime;
        this.refused = refused;
        this.ledger = new Ledger(Budget.of(limits, nanoTime));
    }

    private KeyAccount(KeyAccount before) {
        this.owner = before.owner;
        this.nanoTime = before.nanoTime;
        this.refused = before.refused;
        this.ledger = before.ledger;
    }

    /** The account of another key of the same name: what was used and what runs counts on it, too. This one stays as it is. */
    KeyAccount successor() {
        return new KeyAccount(this);
    }

    /** Whether both are accounts of one name, whose streams have the same places. */
    boolean sharesWith(KeyAccount other) {
        return ledger == other.ledger;
    }

    /** Of everybody, where there are no keys: without limits. */
    public static KeyAccount unlimited() {
        return new KeyAccount(Owner.ANYBODY, KeyLimits.NONE, System::nanoTime, refusal -> { });
    }

    /** Whose it is. */
    public Owner owner() {
        return owner;
    }

    /** Other limits from now on: with full buckets if they are other ones. Streams that run go on. */
    void limit(KeyLimits limits) {
        if (!limits.equals(ledger.budget.limits())) {
            ledger.budget = Budget.of(limits, nanoTime);
        }
    }

    /** The key is valid no more; streams that run go on. */
    void revoke() {
        revoked = true;
    }

    /**
     * Counts a request.
     *
     * @throws KeyLimitException if the key may not ask now; then it does not count
     */
    public void request() throws KeyLimitException {
        Budget now = ledger.budget;
        requireValid();
        if (now.tokens() != null && now.tokens().left() == 0) {
            throw refuse(perMinute(KeyRefusal.TOKENS_PER_MINUTE, "tokens per minute", now.tokens()));
        }
        take(now);
    }

    /**
     * Counts a request to go on with a stream. What the key owes in tokens does not hold it back: no stream is cut by the budget of its key.
     *
     * @throws KeyLimitException if the key may not ask now; then it does not count
     */
    public void requestResume() throws KeyLimitException {
        requireValid();
        take(ledger.budget);
    }

    private void requireValid() throws KeyLimitException {
        if (revoked) {
            throw refuse(KeyLimitException.never(KeyRefusal.REVOKED, "the API key is valid no more: key=" + owner.name()));
        }
    }

    private void take(Budget now) throws KeyLimitException {
        if (now.requests() != null && !now.requests().take()) {
            throw refuse(perMinute(KeyRefusal.REQUESTS_PER_MINUTE, "requests per minute", now.requests()));
        }
        ledger.requests.increment();
    }

    private KeyLimitException perMinute(KeyRefusal refusal, String what, Allowance allowance) {
        return KeyLimitException.later(refusal, Math.max(1, allowance.untilMs(1)),
                "Rate limit reached for %s: limit=%d, key=%s".formatted(what, allowance.perMinute(), owner.name()));
    }

    /**
     * Counts a request for one stream, and takes its place.
     *
     * @throws KeyLimitException if the key may not ask now, or as many streams run as may
     */
    public StreamLease requestStream() throws KeyLimitException {
        StreamLease lease = streams(1, 1).getFirst();
        boolean counted = false;
        try {
            request();
            counted = true;
            return lease;
        } finally {
            if (!counted) {
                lease.close();
            }
        }
    }

    /**
     * Takes places for the streams of a request that has been counted.
     *
     * @param count all of them
     * @param choices of each prompt: its tokens count once
     * @throws KeyLimitException if there are not so many places; then none is taken
     */
    public List<StreamLease> streams(int count, int choices) throws KeyLimitException {
        int limit = ledger.budget.limits().streams();
        if (limit > 0 && count > limit) {
            throw refuse(KeyLimitException.never(KeyRefusal.STREAMS,
                    "more streams than the key may ever have at once: streams=%d, limit=%d, key=%s".formatted(count, limit, owner.name())));
        }
        int before = ledger.streams.getAndAdd(count);
        if (limit > 0 && before + count > limit) {
            ledger.streams.addAndGet(-count);
            throw refuse(KeyLimitException.later(KeyRefusal.STREAMS, STREAM_RETRY_MS,
                    "Rate limit reached for streams at once: running=%d, limit=%d, key=%s".formatted(before, limit, owner.name())));
        }
        List<StreamLease> leases = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            leases.add(new StreamLease(this, i % choices == 0, null));
        }
        return leases;
    }

    /**
     * The lease of a stream that goes on on another connection: with the place of the connection before, if that has not lost it.
     *
     * @throws KeyLimitException if it has, and as many streams run as may
     */
    public StreamLease resumed(StreamTab tab) throws KeyLimitException {
        return tab.next(this);
    }

    private KeyLimitException refuse(KeyLimitException e) {
        refused.accept(e.refusal());
        return e;
    }

    void used(int count) {
        ledger.tokens.add(count);
        Allowance allowance = ledger.budget.tokens();
        if (allowance != null && count > 0) {
            allowance.use(count);
        }
    }

    void ended() {
        ledger.streams.decrementAndGet();
    }

    /** Streams that run now. */
    public int running() {
        return ledger.streams.get();
    }

    /** How far the key is from its limit of requests; empty without one. */
    public Optional<Standing> requestsLeft() {
        return standing(ledger.budget.requests());
    }

    /** How far the key is from its limit of tokens; empty without one. */
    public Optional<Standing> tokensLeft() {
        return standing(ledger.budget.tokens());
    }

    private static Optional<Standing> standing(@Nullable Allowance allowance) {
        return allowance == null ? Optional.empty()
                : Optional.of(new Standing(allowance.perMinute(), allowance.left(), allowance.untilMs(allowance.perMinute())));
    }

    /**
     * How far a key is from a limit.
     *
     * @param limit per minute
     * @param left now
     * @param fullInMs when all of it is there again if nothing is used
     */
    public record Standing(long limit, long left, long fullInMs) {}

    /** What was used so far. */
    KeyUse use() {
        return new KeyUse(owner.name(), ledger.requests.sum(), ledger.tokens.sum(), running());
    }
}

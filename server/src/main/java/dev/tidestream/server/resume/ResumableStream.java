package dev.tidestream.server.resume;

import java.util.Objects;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.server.engine.Continuation;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.keys.StreamTab;

/**
 * One stream between the engine and whichever connection has it: the engine's only subscriber, which keeps what it is given, and
 * gives it to the {@link Attachment} of the day, from the point on that it asks for. While there is none, nothing is asked of the
 * engine: the stream stalls, and is parked like any other without demand.
 *
 * <p>Tokens that are not kept any more are made again, by the same request with the same seed and weights, which has the same bits.
 *
 * <p>Signals come on the decode thread, demand on an event loop. One lock orders them, and is held while a subscriber is told:
 * subscribers must not block.
 */
final class ResumableStream {
    private final StreamRecord.Identity identity;
    private final GenerateRequest request;
    private final Engine engine;
    private final LongSupplier nanoClock;
    private final long keptBytes;
    private final Unwritten unwritten; // guarded by this, as is all below
    private StreamTab tab; // as it is made
    private KeptTokens tokens;
    private TokenEvent.@Nullable Accepted first; // of its begin: the seed, and the weights that a pinned stream keeps
    private TokenEvent.@Nullable Accepted accepted; // of the run of today
    private @Nullable StreamRun run; // null before the first run of this process
    private TokenEvent.@Nullable Finish finish;
    private Continuation.@Nullable Origin origin; // of all tokens; null if it is not the same for all, or not known
    private @Nullable PastEnd past; // while it is run again
    private @Nullable Throwable failure;
    private @Nullable Attachment attached;
    private boolean telling;
    private long idleSinceNs;

    /**
     * A stream that has not begun.
     *
     * @param keptBytes most bytes of tokens that can be sent again
     * @param changed told that there is something to write; on any thread, must not block
     */
    ResumableStream(
            StreamRecord.Identity identity, GenerateRequest request, Engine engine, LongSupplier nanoClock, long keptBytes, Runnable changed) {
        this.tab = StreamTab.ofNew();
        this.identity = identity;
        this.request = request;
        this.engine = engine;
        this.nanoClock = nanoClock;
        this.keptBytes = keptBytes;
        this.unwritten = new Unwritten(changed);
        this.tokens = new KeptTokens(keptBytes, new int[0]);
        this.idleSinceNs = nanoClock.getAsLong();
    }

    /** A stream of an earlier process. */
    ResumableStream(
            StreamRecord read, GenerateRequest request, Engine engine, LongSupplier nanoClock, long keptBytes, Runnable changed) {
        this(read.identity(), request, engine, nanoClock, keptBytes, changed);
        tab = StreamTab.counted(read.tokens().length);
        tokens = new KeptTokens(keptBytes, read.tokens());
        first = read.accepted();
        accepted = read.accepted();
        finish = read.finish();
        origin = read.mixed() ? null : Continuation.Origin.of(read.accepted());
        unwritten.hasBeenRead(read.tokens().length);
    }

    StreamRecord.Identity identity() {
        return identity;
    }

    /** What is counted of it for its owner. */
    StreamTab tab() {
        return tab;
    }

    /** From its first token on. */
    synchronized Generation begin() {
        return new Attachment(this, 0, 0);
    }

    /**
     * From the token behind one on.
     *
     * @throws EngineException if there is no such token, or those behind it can neither be sent nor made again
     */
    synchronized Generation after(int seq) {
        int next = seq + 1;
        if (past != null && next > tokens.made() && next <= past.ids().length) {
            giveBack(Attachment.resumed());
        }
        int made = tokens.made();
        boolean ranBefore = run == null; // and not in this process
        boolean exact = !request.weights().follows(); // made again, its tokens are the same
        if (next > made && (!ranBefore || finish != null || next >= request.maxTokens())) {
            throw new EngineException(ErrorCode.INVALID_VALUE,
                    "after_seq: the stream has no such token: after_seq=%d, tokens=%d".formatted(seq, made));
        }
        if (next > made || (next < tokens.firstKept() && !ranBefore)) {
            if (!exact) {
                throw new EngineException(ErrorCode.REPLAY_GONE,
                        "tokens of a stream that follows the weights are not kept any more: after_seq=%d, kept=%d..%d"
                                .formatted(seq, tokens.firstKept(), made - 1));
            }
            return new Attachment(this, next, Math.min(next, made));
        }
        if (ranBefore && next == made && lacksEvidence()) {
            return new Attachment(this, next, made - 1); // its last token is made again, and with it what its receipt says
        }
        boolean isThere = ranBefore ? finish != null && next == made
                : !(failedWith(ErrorCode.BUSY) || (exact && failedWith(ErrorCode.CREDIT_TIMEOUT)));
        return new Attachment(this, next, isThere ? Attachment.AS_IT_RUNS : next);
    }

    /** Whether its client wants a receipt, and what that says can be had again: the process that ended the stream knew it. */
    private boolean lacksEvidence() {
        return request.options().receipt() && !request.weights().follows() && tokens.made() > 0
                && finish != null && finish.evidence() == null && finish.reason() != FinishReason.CANCELLED;
    }

    private boolean failedWith(ErrorCode code) {
        return failure instanceof EngineException e && e.code() == code;
    }

    /** Whether nobody has it, and nobody has had it for so long. */
    synchronized boolean idleFor(long nanos) {
        return attached == null && nanoClock.getAsLong() - idleSinceNs >= nanos;
    }

    /** Since when nobody has it, on the clock; {@code Long.MAX_VALUE} if somebody does. */
    synchronized long idleSinceNs() {
        return attached == null ? idleSinceNs : Long.MAX_VALUE;
    }

    /** Whether it ended before it was accepted, so that its client knows no name of it. */
    synchronized boolean refused() {
        return failure != null && first == null;
    }

    /** Ends it for good. Whoever has just come for it is told. */
    void giveUp() {
        StreamRun running;
        synchronized (this) {
            running = run;
            accepted = null;
            failure = new EngineException(ErrorCode.UNKNOWN_STREAM, "the stream is not kept any more");
            tell();
        }
        if (running != null) {
            running.cancel();
        }
    }

    /** A connection has it from now on, and whoever had it before has it no more. */
    void attach(Attachment to, int runFrom) {
        StreamRun toRun = null;
        synchronized (this) {
            Attachment before = attached;
            if (before != null) {
                end(before, Attachment.resumed());
            }
            attached = to;
            if (runFrom != Attachment.AS_IT_RUNS) {
                toRun = runFrom(runFrom);
            }
            tell();
        }
        if (toRun != null) {
            toRun.begin();
        }
    }

    /** Lock held. */
    void demandRose(Attachment by) {
        if (by == attached) {
            tell();
        }
    }

    /** A connection has gone. */
    synchronized void detach(Attachment gone) {
        if (gone == attached) {
            attached = null;
            idleSinceNs = nanoClock.getAsLong();
        }
    }

    /** A client wants no more of it, which counts if it is still the client's. */
    void stop(Attachment by) {
        StreamRun running;
        synchronized (this) {
            running = by == attached ? run : null;
        }
        if (running != null) {
            running.stop();
        }
    }

    /** What the journal lacks. */
    synchronized StreamRecord.Piece takeUnwritten() {
        if (past != null) {
            return unwritten.takeNothing();
        }
        boolean mixed = first != null && !Objects.equals(origin, Continuation.Origin.of(first));
        return unwritten.take(first, tokens, finish, mixed);
    }

    /** Lock held. Runs it (again) from a token on. */
    private StreamRun runFrom(int from) {
        StreamRun before = run;
        if (before != null) {
            before.cancel();
        }
        GenerateRequest now = request;
        if (first != null) {
            long version = request.weights().follows() ? Continuation.NEWEST : first.weightsVersion();
            String adapter = first.adapter() == null ? null : first.adapter().sha256();
            now = request.continued(first.seed(), new Continuation(tokens.ids(0, from), version, origin, adapter))
                    .with(request.options().renderedAt(first.renderedAt())); // of the same prompt
        }
        boolean wasStopped = reason() == FinishReason.CANCELLED;
        if (past != null) {
            past = past.runFrom(from);
        } else if (finish != null && !request.weights().follows()) {
            past = new PastEnd(tokens.ids(0, tokens.made()), finish, origin, from);
        } else {
            unwritten.startOver(from);
        }
        tokens = new KeptTokens(keptBytes, tokens.ids(0, from));
        accepted = null;
        finish = null;
        failure = null;
        StreamRun next = new StreamRun(this, engine.generate(now));
        run = next;
        if (wasStopped) {
            next.stop();
        }
        return next;
    }

    /** How it has ended, also if it is run again; null if it has not. */
    private @Nullable FinishReason reason() {
        TokenEvent.Finish end = past != null ? past.finish() : finish;
        return end == null ? null : end.reason();
    }

    /**
     * Lock held. The stream is again what it was before it was run again, since that came to no end.
     *
     * @param why what is told to who waits for tokens; who has all of them is told how it had ended
     */
    private void giveBack(Throwable why) {
        PastEnd end = Objects.requireNonNull(past, "it was not run again");
        past = null;
        if (run != null) {
            run.cancel();
            run = null;
        }
        tokens = new KeptTokens(keptBytes, end.ids());
        finish = end.finish();
        origin = end.origin();
        accepted = first;
        unwritten.grew(); // its end may not have been written when it was run again
        if (attached != null && attached.nextSeq() < tokens.made()) {
            end(attached, why);
        }
    }

    /** Lock held. Gives the attachment all that it can have, then asks the engine for what is left of its demand. */
    private void tell() {
        if (telling) {
            return; // a subscriber asks for more while it is told
        }
        telling = true;
        try {
            boolean more = true;
            while (more) {
                more = attached != null && tellNext(attached);
            }
        } finally {
            telling = false;
        }
        if (attached != null && run != null) {
            run.ask(attached, tokens.made());
        }
    }

    private boolean tellNext(Attachment to) {
        if (to.told() && to.nextSeq() < tokens.made()) {
            return to.giveToken(tokens);
        }
        if (to.told() ? finish != null : accepted != null) {
            if (to.demand() == 0) {
                return false;
            }
            if (to.told()) {
                to.give(new TokenEvent.Stopped(Objects.requireNonNull(finish)));
                end(to, null);
            } else {
                to.give(Objects.requireNonNull(accepted));
            }
            return true;
        }
        if (failure != null) {
            end(to, failure);
        }
        return false;
    }

    /** Lock held. It has its last signal. */
    void end(Attachment to, @Nullable Throwable error) {
        if (to == attached) { // it may have cancelled while it was told
            attached = null;
            idleSinceNs = nanoClock.getAsLong();
            if (error == null) {
                to.subscriber().onComplete();
            } else {
                to.subscriber().onError(error);
            }
        }
    }

    private void handle(TokenEvent event) {
        switch (event) {
            case TokenEvent.Accepted a -> {
                accepted = a;
                if (first == null) {
                    first = a;
                }
                Continuation.Origin now = Continuation.Origin.of(a);
                origin = tokens.made() == 0 || Objects.equals(origin, now) ? now : null;
                unwritten.grew();
            }
            case TokenEvent.Progress p -> {
                if (attached != null && attached.told() && attached.demand() > 0) {
                    attached.give(p);
                }
            }
            case TokenEvent.Scored s -> throw new IllegalStateException("a stream that can be resumed is not scored: stream=" + accepted);
            case TokenEvent.Token t when past != null && !past.agreesWith(t) -> giveBack(new EngineException(ErrorCode.REPLAY_GONE,
                    "the tokens that are made again are not those of the stream: seq=%d".formatted(t.seq())));
            case TokenEvent.Token t -> {
                tokens.add(t);
                ended(t.finish());
            }
            case TokenEvent.Stopped s -> ended(s.finish());
        }
    }

    private void ended(TokenEvent.@Nullable Finish how) {
        finish = how;
        if (how != null && past != null) {
            unwritten.startOver(past.from());
            past = null;
        }
        unwritten.grew();
    }

    /** A run has begun to listen. */
    synchronized void subscribed() {
        tell();
    }

    /** A run has an event. */
    synchronized void received(StreamRun by, TokenEvent event) {
        if (by == run) {
            by.hasOneLess();
            handle(event);
            tell();
        }
    }

    /** A run has ended; null: as it should. */
    synchronized void ended(StreamRun by, @Nullable Throwable error) {
        if (by == run && (error != null || finish == null)) {
            Throwable why = error != null ? error : new IllegalStateException("the engine completed without a finish: stream=" + accepted);
            if (past != null) {
                giveBack(why);
            } else {
                failure = why;
            }
            tell();
        }
    }
}

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
    private final Runnable changed;
    private StreamTab tab; // as it is made

    // all of this is guarded by this
    private KeptTokens tokens;
    private TokenEvent.@Nullable Accepted first; // of its begin: the seed, and the weights that a pinned stream keeps
    private TokenEvent.@Nullable Accepted accepted; // of the run of today
    private @Nullable StreamRun run; // null before the first run of this process
    private TokenEvent.@Nullable Finish finish;
    private @Nullable Throwable failure;
    private @Nullable Attachment attached;
    private boolean telling;
    private long idleSinceNs;
    private boolean toBeWritten;
    private boolean firstIsWritten;
    private int written; // tokens

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
        this.changed = changed;
        this.tokens = new KeptTokens(keptBytes, new int[0]);
        this.idleSinceNs = nanoClock.getAsLong();
    }

    /** A stream of an earlier process. */
    ResumableStream(
            StreamRecord past, GenerateRequest request, Engine engine, LongSupplier nanoClock, long keptBytes, Runnable changed) {
        this(past.identity(), request, engine, nanoClock, keptBytes, changed);
        tab = StreamTab.counted(past.tokens().length);
        tokens = new KeptTokens(keptBytes, past.tokens());
        first = past.accepted();
        accepted = past.accepted();
        finish = past.finish();
        firstIsWritten = true;
        written = past.tokens().length;
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
                end(before, new EngineException(ErrorCode.RESUMED, "the stream goes on on another connection"));
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
        toBeWritten = false;
        TokenEvent.Accepted head = firstIsWritten ? null : first;
        StreamRecord.Piece piece = new StreamRecord.Piece(head, written, tokens.ids(written, tokens.made()), finish);
        firstIsWritten = first != null;
        written = tokens.made();
        return piece;
    }

    private void write() {
        if (!toBeWritten) {
            toBeWritten = true;
            changed.run();
        }
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
            now = request.continued(first.seed(), new Continuation(tokens.ids(0, from), version, adapter));
        }
        tokens = new KeptTokens(keptBytes, tokens.ids(0, from));
        written = Math.min(written, from);
        boolean wasStopped = finish != null && finish.reason() == FinishReason.CANCELLED;
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
            return tellToken(to);
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

    private boolean tellToken(Attachment to) {
        if (to.nextSeq() < tokens.firstKept()) {
            end(to, new EngineException(ErrorCode.REPLAY_GONE,
                    "tokens are not kept any more: seq=%d, first=%d".formatted(to.nextSeq(), tokens.firstKept())));
            return false;
        }
        if (to.demand() == 0) {
            return false;
        }
        TokenEvent.Token token = tokens.get(to.nextSeq());
        to.give(token);
        if (token.finish() != null) {
            end(to, null);
        }
        return true;
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
                write();
            }
            case TokenEvent.Progress p -> {
                if (attached != null && attached.told() && attached.demand() > 0) {
                    attached.give(p);
                }
            }
            case TokenEvent.Scored s -> throw new IllegalStateException("a stream that can be resumed is not scored: stream=" + accepted);
            case TokenEvent.Token t -> {
                tokens.add(t);
                finish = t.finish();
                write();
            }
            case TokenEvent.Stopped s -> {
                finish = s.finish();
                write();
            }
        }
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
            failure = error != null ? error : new IllegalStateException("the engine completed without a finish: stream=" + accepted);
            tell();
        }
    }
}

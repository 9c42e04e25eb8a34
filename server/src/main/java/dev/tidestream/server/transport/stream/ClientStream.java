package dev.tidestream.server.transport.stream;

import java.util.OptionalInt;

import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.BaseSubscriber;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.keys.StreamLease;
import dev.tidestream.server.transport.common.Mailbox;

/**
 * One stream of one connection: the engine's subscriber, and the book-keeper of its demand.
 *
 * <p>Signals come on the decode thread, which only posts them; everything else runs on the session's event loop. Each event
 * uses one unit of demand, and demand cannot be taken back, so it is handed out late:
 * <ul>
 *   <li>one unit on subscription, for {@code Accepted};
 *   <li>then up to {@code min(credit, window)} units while the socket takes frames, topped up when half are used. Units out
 *       never exceed the credit left, so no token can arrive that the client has not paid for;
 *   <li>one unit back for each {@code Progress}, which costs no credit; {@code Scored} costs none either, but it waits for the socket;
 *   <li>after a cancel always at least one, so that {@code Stopped} can come. The decode loop may spend that unit on one
 *       more token before it sees the stop; a token without credit is then dropped, not sent.
 * </ul>
 * A full socket thus stops the demand, and a stream without demand is in no batch. What can still arrive after that is at
 * most one window per stream.
 *
 * <p>It ends once, whatever happens: an event that cannot be made into a frame is a fault, which ends it.
 */
public final class ClientStream extends BaseSubscriber<TokenEvent> {
    private static final Logger log = LoggerFactory.getLogger(ClientStream.class);
    private static final long UNLIMITED = Long.MAX_VALUE;

    /** What a stream needs of its session; event loop only. */
    public interface Outlet {
        /** Whether more frames would go out soon. */
        boolean writable();

        /** The stream is about to say its last word. */
        void ended(ClientStream stream);
    }

    private final String id;
    private final Generation generation;
    private final Mailbox mailbox;
    private final Outlet outlet;
    private final FrameMapper frames;
    private final int windowTokens;
    private final StreamLease lease;

    private long credit;
    private int outstanding = 1;
    private boolean accepted;
    private boolean stopping;
    private boolean ended;
    private long stream;

    /**
     * A stream that has not begun.
     *
     * @param id the client's name of it
     * @param credit token frames the client takes for now; absent: any number
     * @param mailbox to the event loop
     * @param windowTokens most tokens asked of the engine in advance
     */
    public ClientStream(
            String id, OptionalInt credit, Generation generation, Mailbox mailbox, Outlet outlet, FrameMapper frames, int windowTokens) {
        this(id, credit, generation, mailbox, outlet, frames, windowTokens, StreamLease.NONE);
    }

    /**
     * A stream that has not begun, of a key; see the other constructor.
     *
     * @param lease what is told of its tokens, and closed when it has ended
     */
    public ClientStream(String id, OptionalInt credit, Generation generation, Mailbox mailbox, Outlet outlet, FrameMapper frames,
            int windowTokens, StreamLease lease) {
        this.lease = lease;
        this.id = id;
        this.credit = credit.isPresent() ? credit.getAsInt() : UNLIMITED;
        this.generation = generation;
        this.mailbox = mailbox;
        this.outlet = outlet;
        this.frames = frames;
        this.windowTokens = windowTokens;
    }

    /** Subscribes to the engine's events. */
    public void begin() {
        generation.events().subscribe(this);
    }

    /** The client's name of it. */
    public String id() {
        return id;
    }

    /** Whether the client was told that it runs. */
    public boolean accepted() {
        return accepted;
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
        subscription.request(1);
    }

    @Override
    protected void hookOnNext(TokenEvent event) {
        mailbox.post(() -> take(event));
    }

    private void take(TokenEvent event) {
        if (ended) {
            return;
        }
        outstanding--;
        try {
            handle(event);
        } catch (RuntimeException e) {
            cancel();
            fail(e);
        }
    }

    @Override
    protected void hookOnError(Throwable error) {
        mailbox.post(() -> {
            if (!ended) {
                fail(error);
            }
        });
    }

    @Override
    protected void hookOnComplete() {
        mailbox.post(() -> {
            if (!ended) {
                fail(new IllegalStateException("the engine completed without a finish: id=" + id + ", stream=" + stream));
            }
        });
    }

    /** More token frames, at least 1. */
    public void grant(int tokens) {
        if (credit != UNLIMITED) {
            credit = Math.min(credit + tokens, UNLIMITED - 1 - Integer.MAX_VALUE);
        }
        ask();
    }

    /** The client wants no more; {@code finished} follows. */
    public void stop() {
        if (stopping) {
            return;
        }
        stopping = true;
        generation.stop();
        ask();
    }

    /** Ends the stream without a word to the engine's events; the sequence leaves before the next step. */
    public void abandon() {
        ended = true;
        lease.close();
        cancel();
    }

    /** Asks the engine for what may be sent now; called when credit, the window or the socket has changed. */
    public void ask() {
        if (!accepted || ended) {
            return;
        }
        if (stopping) {
            request(1 - outstanding);
        } else if (outstanding <= windowTokens / 2 && outlet.writable()) {
            request((int) Math.min(credit, windowTokens) - outstanding);
        }
    }

    private void request(int units) {
        if (units > 0) {
            outstanding += units;
            super.request(units);
        }
    }

    private void handle(TokenEvent event) {
        switch (event) {
            case TokenEvent.Accepted a -> {
                accepted = true;
                stream = a.stream();
                lease.accepted(a.promptTokens());
                frames.accepted(a);
                ask();
            }
            case TokenEvent.Progress p -> {
                frames.progress(p);
                request(1);
            }
            case TokenEvent.Scored s -> {
                frames.scored(s);
                ask();
            }
            case TokenEvent.Token t -> token(t);
            case TokenEvent.Stopped s -> finish(s.finish());
        }
    }

    private void token(TokenEvent.Token t) {
        lease.token(t.seq());
        if (credit > 0) {
            if (credit != UNLIMITED) {
                credit--;
            }
            frames.token(t);
        }
        if (ended) {
            return; // the frame was its session's last
        }
        if (t.finish() != null) {
            finish(t.finish());
        } else {
            ask();
        }
    }

    private void finish(TokenEvent.Finish f) {
        end();
        frames.finished(f);
    }

    private void fail(Throwable error) {
        if (!(error instanceof EngineException)) {
            log.error("stream failed: id={}, stream={}", id, stream, error);
        }
        if (!ended) {
            end();
        }
        try {
            if (error instanceof EngineException e) {
                frames.failed(e.code(), String.valueOf(e.getMessage()));
            } else {
                frames.failed(ErrorCode.INTERNAL, ServerTexts.FAULT);
            }
        } catch (RuntimeException e) {
            log.error("a client could not be told that its stream has failed: id={}, stream={}", id, stream, e);
        }
    }

    private void end() {
        ended = true;
        lease.close();
        outlet.ended(this);
    }
}

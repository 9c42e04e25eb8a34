package dev.tidestream.server.resume;

import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Operators;

import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;

/** The engine's side of a {@link ResumableStream}: one run of it, from a token on. */
final class StreamRun extends BaseSubscriber<TokenEvent> {
    private final ResumableStream stream;
    private final Generation generation;
    private long outstanding; // guarded by the stream, as is the next
    private boolean subscribed;

    StreamRun(ResumableStream stream, Generation generation) {
        this.stream = stream;
        this.generation = generation;
    }

    void begin() {
        generation.events().subscribe(this);
    }

    /** Ends it as a client asks for that. */
    void stop() {
        generation.stop();
    }

    /** The stream's lock held: asks for what an attachment wants and has not been asked for. */
    void ask(Attachment to, int made) {
        long wanted = Operators.addCap(to.demand(), Math.max(0, to.nextSeq() - made));
        long missing = wanted - outstanding;
        if (subscribed && missing > 0) {
            outstanding += missing;
            request(missing);
        }
    }

    /** The stream's lock held: an event has come. */
    void hasOneLess() {
        outstanding--;
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
        synchronized (stream) {
            subscribed = true;
            stream.subscribed();
        }
    }

    @Override
    protected void hookOnNext(TokenEvent event) {
        stream.received(this, event);
    }

    @Override
    protected void hookOnError(Throwable error) {
        stream.ended(this, error);
    }

    @Override
    protected void hookOnComplete() {
        stream.ended(this, null);
    }
}

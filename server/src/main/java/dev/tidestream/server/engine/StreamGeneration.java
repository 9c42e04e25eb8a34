package dev.tidestream.server.engine;

import java.util.concurrent.atomic.AtomicBoolean;

import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/** A {@link TokenStream} before and after somebody subscribes to it. */
final class StreamGeneration extends Flux<TokenEvent> implements Generation {
    private final TokenStream stream;
    private final Runnable begin;
    private final AtomicBoolean begun = new AtomicBoolean();

    /** @param begin takes the subscribed stream in; called once, on the subscriber's thread */
    StreamGeneration(TokenStream stream, Runnable begin) {
        this.stream = stream;
        this.begin = begin;
    }

    @Override
    public Flux<TokenEvent> events() {
        return this;
    }

    @Override
    public void stop() {
        stream.stop();
    }

    @Override
    public void subscribe(CoreSubscriber<? super TokenEvent> subscriber) {
        if (!begun.compareAndSet(false, true)) {
            Operators.error(subscriber, new IllegalStateException("subscribed to already: stream=" + stream.stream()));
            return;
        }
        stream.subscribed(subscriber);
        begin.run();
    }
}

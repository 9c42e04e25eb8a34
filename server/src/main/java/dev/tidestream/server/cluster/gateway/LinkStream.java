package dev.tidestream.server.cluster.gateway;

import java.util.concurrent.atomic.AtomicBoolean;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;

/** One stream over a {@link WorkerLink}. Any thread asks and cancels; what is not final is the link's event loop's. */
final class LinkStream extends Flux<TokenEvent> implements Generation, Subscription {
    private final WorkerLink link;
    private final GenerateRequest request;
    private final AtomicBoolean begun = new AtomicBoolean();
    private @Nullable CoreSubscriber<? super TokenEvent> subscriber; // set before the link knows it
    private long id; // 0 before it is started
    private boolean started;
    private boolean stopRequested;
    private boolean stopSent;
    private long ungranted;

    LinkStream(WorkerLink link, GenerateRequest request) {
        this.link = link;
        this.request = request;
    }

    @Override
    public Flux<TokenEvent> events() {
        return this;
    }

    @Override
    public void subscribe(CoreSubscriber<? super TokenEvent> newcomer) {
        if (!begun.compareAndSet(false, true)) {
            Operators.error(newcomer, new IllegalStateException("subscribed to already"));
            return;
        }
        subscriber = newcomer;
        newcomer.onSubscribe(this);
        link.post(() -> link.open(this));
    }

    @Override
    public void request(long n) {
        link.post(() -> {
            ungranted = Operators.addCap(ungranted, n);
            link.changed(this);
        });
    }

    @Override
    public void cancel() {
        link.post(() -> {
            subscriber = null;
            link.cancelled(this);
        });
    }

    @Override
    public void stop() {
        link.post(() -> {
            stopRequested = true;
            link.changed(this);
        });
    }

    // ---- of the link's event loop

    GenerateRequest request() {
        return request;
    }

    /** Whether somebody listens. */
    boolean wanted() {
        return subscriber != null;
    }

    /** Its number on the connection; 0 before it has one. */
    long id() {
        return id;
    }

    void open(long number) {
        id = number;
    }

    /** Whether the worker was told of it; from now on it was. */
    boolean setStarted() {
        boolean before = started;
        started = true;
        return before;
    }

    boolean isStarted() {
        return started;
    }

    /** Whether a stop is to be sent, once. */
    boolean takeStop() {
        boolean now = stopRequested && !stopSent;
        stopSent |= now;
        return now;
    }

    /** Credit that the worker was not given yet. */
    long takeCredit() {
        long now = ungranted;
        ungranted = 0;
        return now;
    }

    void next(TokenEvent event) {
        CoreSubscriber<? super TokenEvent> to = subscriber;
        if (to != null) {
            to.onNext(event);
        }
    }

    void complete() {
        CoreSubscriber<? super TokenEvent> to = subscriber;
        subscriber = null;
        if (to != null) {
            to.onComplete();
        }
    }

    void failed(Throwable error) {
        CoreSubscriber<? super TokenEvent> to = subscriber;
        subscriber = null;
        if (to != null) {
            to.onError(error);
        }
    }
}

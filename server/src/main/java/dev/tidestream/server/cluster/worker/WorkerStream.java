package dev.tidestream.server.cluster.worker;

import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.BaseSubscriber;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.server.cluster.wire.WorkerFrame;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;

/**
 * One relayed stream: the engine's subscriber. Its demand is the gateway's credit and nothing beyond, so a stream whose client does not
 * read is in no batch here. Signals come on the decode thread, which only posts them; the rest is the event loop's.
 */
final class WorkerStream extends BaseSubscriber<TokenEvent> {
    private static final Logger log = LoggerFactory.getLogger(WorkerStream.class);

    private final long id;
    private final Generation generation;
    private final Outbox outbox;
    private final long firstDemand;

    WorkerStream(long id, Generation generation, long firstDemand, Outbox outbox) {
        this.id = id;
        this.generation = generation;
        this.firstDemand = firstDemand;
        this.outbox = outbox;
    }

    void begin() {
        generation.events().subscribe(this);
    }

    void stop() {
        generation.stop();
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
        if (firstDemand > 0) {
            subscription.request(firstDemand);
        }
    }

    @Override
    protected void hookOnNext(TokenEvent event) {
        outbox.post(new WorkerFrame.Event(id, event));
    }

    @Override
    protected void hookOnError(Throwable error) {
        if (error instanceof EngineException e) {
            outbox.post(new WorkerFrame.Failed(id, e.code(), String.valueOf(e.getMessage())));
        } else {
            log.error("a relayed stream failed: id={}", id, error);
            outbox.post(new WorkerFrame.Failed(id, ErrorCode.INTERNAL, ServerTexts.FAULT));
        }
    }

    /** The stream whose last frame this is; 0 if it is none's. */
    static long endedBy(WorkerFrame frame) {
        return switch (frame) {
            case WorkerFrame.Event e -> isEnd(e.event()) ? e.id() : 0;
            case WorkerFrame.Failed f -> f.id();
            case WorkerFrame.Hello h -> 0;
            case WorkerFrame.Drain d -> 0;
            case WorkerFrame.Fault f -> 0;
        };
    }

    private static boolean isEnd(TokenEvent event) {
        return switch (event) {
            case TokenEvent.Token t -> t.finish() != null;
            case TokenEvent.Stopped s -> true;
            case TokenEvent.Accepted a -> false;
            case TokenEvent.Progress p -> false;
            case TokenEvent.Scored s -> false;
        };
    }
}

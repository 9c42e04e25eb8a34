package dev.tidestream.server.cluster.gateway;

import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;

import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;

/** One run of a {@link RelayedStream} on one worker. Its fields are the stream's, whose tasks run one after the other. */
final class RelayRun extends BaseSubscriber<TokenEvent> {
    private final RelayedStream stream;
    private final String node;
    private final Generation generation;
    private boolean subscribed;
    private boolean accepted;
    private long outstanding;
    private int scores;

    RelayRun(RelayedStream stream, String node, Generation generation) {
        this.stream = stream;
        this.node = node;
        this.generation = generation;
    }

    String node() {
        return node;
    }

    void begin() {
        generation.events().subscribe(this);
    }

    void stop() {
        generation.stop();
    }

    void subscribed() {
        subscribed = true;
    }

    /** Whether the worker has accepted it. */
    boolean isAccepted() {
        return accepted;
    }

    void accepted() {
        accepted = true;
    }

    /** An event has used a unit of its demand. */
    void hasOneLess() {
        outstanding--;
    }

    /**
     * Asks for what is missing to so many units.
     *
     * @param slack so many may be missing before it asks
     */
    void ask(long wanted, long slack) {
        long missing = wanted - outstanding;
        if (subscribed && missing > 0 && (outstanding <= slack || wanted <= slack)) {
            outstanding += missing;
            request(missing);
        }
    }

    /** More scores of the prompt have come; how many this run has had before. */
    int scored(int more) {
        scores += more;
        return scores - more;
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
        stream.on(this, RelayRun::subscribed);
    }

    @Override
    protected void hookOnNext(TokenEvent event) {
        stream.on(this, run -> stream.take(run, event));
    }

    @Override
    protected void hookOnError(Throwable error) {
        stream.on(this, run -> stream.failed(run, error));
    }

    @Override
    protected void hookOnComplete() {
        stream.on(this, stream::completed);
    }
}

package dev.tidestream.server.resume;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;

import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;

/** A client that takes events one by one. */
final class Reader extends BaseSubscriber<TokenEvent> {
    private static final int PATIENCE_S = 60;
    private final LinkedBlockingQueue<Object> signals = new LinkedBlockingQueue<>();

    static Reader of(Generation generation) {
        Reader reader = new Reader();
        generation.events().subscribe(reader);
        return reader;
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
        // asks for what it takes
    }

    @Override
    protected void hookOnNext(TokenEvent event) {
        signals.add(event);
    }

    @Override
    protected void hookOnComplete() {
        signals.add("completed");
    }

    @Override
    protected void hookOnError(Throwable error) {
        signals.add(error);
    }

    private Object signal() throws InterruptedException {
        Object signal = signals.poll(PATIENCE_S, TimeUnit.SECONDS);
        assertNotNull(signal, "nothing came");
        return signal;
    }

    /** What comes without being asked for: an error, or the end. */
    Object last() throws InterruptedException {
        return signal();
    }

    TokenEvent next() throws InterruptedException {
        request(1);
        return assertInstanceOf(TokenEvent.class, signal());
    }

    TokenEvent.Accepted accepted() throws InterruptedException {
        return assertInstanceOf(TokenEvent.Accepted.class, next());
    }

    /** So many tokens, fewer if the stream ends before. */
    List<TokenEvent.Token> tokens(int most) throws InterruptedException {
        List<TokenEvent.Token> tokens = new ArrayList<>();
        while (tokens.size() < most) {
            TokenEvent.Token token = assertInstanceOf(TokenEvent.Token.class, next());
            tokens.add(token);
            if (token.finish() != null) {
                break;
            }
        }
        return tokens;
    }

    /** The error that has come. */
    <T extends Throwable> T error(Class<T> type) throws InterruptedException {
        return assertInstanceOf(type, signal());
    }
}

package dev.tidestream.server.openai;

import java.time.Duration;

import dev.tidestream.protocol.Usage;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.stream.FrameMapper;

/** The answer to one request for tokens, streamed or whole. Event loop. */
public interface Answer {
    /** Makes the answer to a request. */
    interface Maker {
        Answer make(Exchange exchange, HttpGeneration generation);
    }

    /** What makes frames of the events of a choice; asked for once each. */
    FrameMapper choice(int index);

    /** Whether more would go out soon. */
    boolean writable();

    /** Tells a client that it is not forgotten, if nothing was sent for so long; returns when to ask again, from now. */
    default Duration signOfLife(Duration silence) {
        return silence; // there is no way to tell
    }

    /** More would go out soon, after it would not. */
    default void drained() {}

    /** Ends an answer of which all choices have finished. */
    void end(Usage usage);

    /** Ends it with an error, as whatever that can be by now. */
    void fail(HttpError error);

    /** The client has gone; nothing can be sent, and no choice goes on. */
    default void gone() {}

    /** It was asked to end; no choice goes on. Only for an answer that can be asked. */
    default void cancelled() {
        throw new IllegalStateException("nobody can ask this answer to end");
    }
}

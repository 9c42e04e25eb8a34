package dev.tidestream.server.transport.stream;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.engine.TokenEvent;

/**
 * Makes frames of the events of one stream, for one wire. Called on the event loop, in the order of {@link TokenEvent}; after
 * {@link #finished} or {@link #failed}, one of which comes unless the client has gone, nothing follows; but if a frame cannot be made,
 * which is a fault, {@link #failed} follows, even behind a {@link #finished} that has thrown.
 */
public interface FrameMapper {
    void accepted(TokenEvent.Accepted accepted);

    void progress(TokenEvent.Progress progress);

    /** Log-probabilities of the prompt; only for a request that asked for them. */
    void scored(TokenEvent.Scored scored);

    /** The last token has a {@code finish}, which {@link #finished} tells again. */
    void token(TokenEvent.Token token);

    /** The stream has come to its end. */
    void finished(TokenEvent.Finish finish);

    /** The request was refused, or the stream has failed. */
    void failed(ErrorCode code, String message);
}

package dev.tidestream.server.openai;

import dev.tidestream.protocol.Usage;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.stream.FrameMapper;

/** The answer to one request for tokens, streamed or whole. Event loop. */
interface Answer {
    /** What makes frames of the events of a choice; asked for once each. */
    FrameMapper choice(int index);

    /** Whether more would go out soon. */
    boolean writable();

    /** Nothing was sent for a while. */
    void signOfLife();

    /** Ends an answer of which all choices have finished. */
    void end(Usage usage);

    /** Ends it with an error, as whatever that can be by now. */
    void fail(HttpError error);
}

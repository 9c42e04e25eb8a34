package dev.tidestream.server.openai;

import java.time.Duration;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;

import dev.tidestream.server.openai.wire.JsonBytes;
import dev.tidestream.server.transport.common.EventLoopClock;

/**
 * Server-sent events (WHATWG HTML, 9.2): {@code data: …} and an empty line. The head of the answer goes with the first of them, so that
 * what fails before can still be an HTTP status. Event loop.
 */
public final class EventStream {
    private static final Buffer ALIVE = Buffer.buffer(": keep-alive\n\n");
    private static final Buffer DONE = Buffer.buffer("data: [DONE]\n\n");

    private final HttpServerResponse response;
    private final String requestId;
    private final EventLoopClock clock;
    private long lastWriteNs;

    /** @param writeQueueBytes unsent bytes at which no more is asked for */
    public EventStream(HttpServerResponse response, String requestId, int writeQueueBytes, EventLoopClock clock) {
        this.response = response;
        this.requestId = requestId;
        this.clock = clock;
        this.lastWriteNs = clock.nanoTime();
        response.setWriteQueueMaxSize(writeQueueBytes);
    }

    /** Whether the head of the answer has gone. */
    public boolean started() {
        return response.headWritten();
    }

    /** Whether more would go out soon. */
    public boolean writable() {
        return !response.writeQueueFull();
    }

    /** Sends an event: lines that begin with {@code data: } or {@code event: }, and an empty one. */
    public void send(JsonBytes event) {
        write(event.toBuffer());
    }

    /** Sends a comment, which clients pass over, if nothing was sent for so long; returns when to ask again, from now. */
    public Duration signOfLife(Duration silence) {
        long leftNs = silence.toNanos() - (clock.nanoTime() - lastWriteNs);
        if (leftNs > 0) {
            return Duration.ofNanos(leftNs);
        }
        if (writable()) { // who does not read knows enough
            write(ALIVE.copy());
        }
        return silence;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // who does not get it has gone, and its close handler says so
    private void write(Buffer bytes) {
        if (!response.headWritten()) {
            response.setChunked(true)
                    .putHeader(HttpHeaders.CONTENT_TYPE, "text/event-stream; charset=utf-8")
                    .putHeader(HttpHeaders.CACHE_CONTROL, "no-cache")
                    .putHeader("X-Accel-Buffering", "no")
                    .putHeader("x-request-id", requestId);
        }
        lastWriteNs = clock.nanoTime();
        response.write(bytes);
    }

    /** Ends the stream with the event that says it is whole. */
    public Future<Void> done() {
        return response.end(DONE.copy());
    }

    /** Ends the stream behind an error; the body of the answer is well-formed all the same. */
    public Future<Void> end() {
        return response.end();
    }
}

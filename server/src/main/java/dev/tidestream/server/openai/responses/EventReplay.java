package dev.tidestream.server.openai.responses;

import java.time.Duration;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpServerResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.server.openai.EventStream;
import dev.tidestream.server.openai.wire.JsonBytes;
import dev.tidestream.server.transport.common.EventLoopClock;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.endpoint.Session;
import dev.tidestream.server.transport.http.Abort;

/**
 * Events of a response for a client that comes later, or again: those there are, and those to come, as fast as it reads. It makes nobody
 * else wait, and its going ends nothing. Event loop.
 */
final class EventReplay implements Session {
    private static final Logger log = LoggerFactory.getLogger(EventReplay.class);

    private final LiveResponse response;
    private final Exchange exchange;
    private final EventStream events;
    private final EndpointFactory.Loop loop;
    private final JsonBytes chunk = new JsonBytes();
    private final Promise<Void> closed = Promise.promise();
    private final Runnable follower = this::send;
    private int next;
    private boolean over;
    private EventLoopClock.@Nullable Timer alive;

    /** @param first number of the first event to be sent */
    EventReplay(LiveResponse response, int first, Exchange exchange, EndpointFactory.Loop loop) {
        this.response = response;
        this.exchange = exchange;
        this.next = first;
        this.events = new EventStream(exchange.response(), response.origin().id(), loop.streams().writeQueueBytes(), loop.clock());
        this.loop = loop;
    }

    @Override
    public void run() {
        HttpServerResponse out = exchange.response();
        if (out.closed()) {
            gone();
            return;
        }
        out.closeHandler(v -> gone());
        out.drainHandler(v -> send());
        response.follow(follower);
        scheduleSignOfLife(loop.streams().silence());
        send();
    }

    private void scheduleSignOfLife(Duration wait) {
        alive = loop.clock().after(wait, () -> {
            Duration next = events.signOfLife(loop.streams().silence());
            if (!over) {
                scheduleSignOfLife(next);
            }
        });
    }

    private void stop() {
        over = true;
        response.unfollow(follower);
        if (alive != null) {
            alive.cancel();
        }
    }

    private void send() {
        try {
            sendWhatMayBe();
        } catch (RuntimeException e) { // a fault of ours, which is none of the response
            log.error("events broken off: id={}", response.origin().id(), e);
            gone();
            abort();
        }
    }

    private void sendWhatMayBe() {
        int count = ResponseEvents.count(response);
        while (!over && next < count && events.writable()) {
            events.send(ResponseEvents.write(chunk.clear(), response, next++));
        }
        if (!over && response.ended() && next >= count) {
            stop();
            events.done().onComplete(done -> closed.tryComplete());
        }
    }

    private void gone() {
        stop();
        closed.tryComplete();
    }

    @Override
    public Future<Void> closed() {
        return closed.future();
    }

    @Override
    public int underWay() {
        return over ? 0 : 1;
    }

    @Override
    public void drain() {} // it ends with the response

    @Override
    public void breakOff() {
        if (!over) {
            stop();
            events.end().onComplete(done -> closed.tryComplete());
        }
    }

    @Override
    public void abort() {
        Abort.answer(exchange.request());
    }
}

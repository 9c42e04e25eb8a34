package dev.tidestream.server.openai.responses;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpServerResponse;

import dev.tidestream.server.openai.EventStream;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.endpoint.Session;
import dev.tidestream.server.transport.http.HttpConnections;

/**
 * Events of a response for a client that comes later, or again: those there are, and those to come, as fast as it reads. It makes nobody
 * else wait, and its going ends nothing. Event loop.
 */
final class EventReplay implements Session {
    private final LiveResponse response;
    private final Exchange exchange;
    private final EventStream events;
    private final Promise<Void> closed = Promise.promise();
    private final Runnable follower = this::send;
    private int next;
    private boolean over;

    /** @param first number of the first event to be sent */
    EventReplay(LiveResponse response, int first, Exchange exchange, int writeQueueBytes) {
        this.response = response;
        this.exchange = exchange;
        this.next = first;
        this.events = new EventStream(exchange.response(), response.origin().id(), writeQueueBytes);
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
        send();
    }

    private void send() {
        int count = ResponseEvents.count(response);
        while (!over && next < count && events.writable()) {
            events.send(ResponseEvents.write(response, next++));
        }
        if (!over && response.ended() && next >= count) {
            over = true;
            response.unfollow(follower);
            events.done().onComplete(done -> closed.tryComplete());
        }
    }

    private void gone() {
        over = true;
        response.unfollow(follower);
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
            over = true;
            response.unfollow(follower);
            events.end().onComplete(done -> closed.tryComplete());
        }
    }

    @Override
    public void abort() {
        HttpConnections.abort(exchange.request().connection());
    }
}

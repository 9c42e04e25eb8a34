package dev.tidestream.server.openai;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpServerResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.keys.StreamLease;
import dev.tidestream.server.transport.common.EventLoopClock;
import dev.tidestream.server.transport.common.Mailbox;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.endpoint.Session;
import dev.tidestream.server.transport.http.Abort;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.stream.ClientStream;

/**
 * A request that tokens are made for: one stream for each choice, and one answer. Event loop.
 *
 * <p>Whatever happens ends it once: all choices finish, one of them fails, the client goes away, the server stops. Streams that run then
 * are cancelled, so that their sequences leave before the next step, be they in the queue, in prefill or decoding. A client that does
 * not read makes its socket full; then no more tokens are asked for, and the streams are in no batch. One that has read nothing for too
 * long loses its connection ({@link HttpConnections}), and with it goes this.
 */
public final class HttpGeneration implements Session, ClientStream.Outlet {
    private static final Logger log = LoggerFactory.getLogger(HttpGeneration.class);
    private static final int MIN_WINDOW_TOKENS = 4;

    private final Exchange exchange;
    private final EndpointFactory.Loop loop;
    private final Backend backend;
    private final Plan plan;
    private final List<StreamLease> leases;
    private final Answer answer;
    private final Mailbox mailbox;
    private final Promise<Void> closed = Promise.promise();
    private final List<ClientStream> running = new ArrayList<>();
    private int unfinished;
    private int promptTokens;
    private int cachedTokens;
    private int completionTokens;
    private boolean over;
    private EventLoopClock.@Nullable Timer alive;

    /** @param leases of all choices */
    HttpGeneration(
            Exchange exchange, EndpointFactory.Loop loop, Backend backend, Plan plan, List<StreamLease> leases, Answer.Maker maker) {
        this.leases = leases;
        this.exchange = exchange;
        this.loop = loop;
        this.backend = backend;
        this.plan = plan;
        this.mailbox = new Mailbox(task -> loop.context().runOnContext(v -> task.run()));
        this.answer = maker.make(exchange, this);
    }

    @Override
    public void run() {
        HttpServerResponse response = exchange.response();
        if (response.closed()) {
            gone();
            return;
        }
        response.exceptionHandler(e -> log.debug("connection failed: remote={}", exchange.request().remoteAddress(), e));
        response.closeHandler(v -> gone());
        response.drainHandler(v -> {
            answer.drained();
            askAll();
        });
        try {
            begin(plan.requests(exchange.request().connection(),
                    exchange.account().owner().at(String.valueOf(exchange.request().remoteAddress())), exchange.trace()));
        } catch (RuntimeException e) { // a fault of ours
            log.error("request failed: path={}", exchange.request().path(), e);
            fail(Answers.error(ErrorCode.INTERNAL, ServerTexts.FAULT));
        }
    }

    private void begin(List<GenerateRequest> requests) {
        scheduleSignOfLife(loop.streams().silence());
        int window = Math.max(MIN_WINDOW_TOKENS, loop.streams().windowTokens() / requests.size());
        unfinished = requests.size();
        for (int i = 0; i < requests.size(); i++) {
            running.add(new ClientStream(String.valueOf(i), OptionalInt.empty(), backend.engine().generate(requests.get(i)), mailbox, this,
                    answer.choice(i), window, leases.get(i)));
        }
        for (ClientStream stream : List.copyOf(running)) {
            try {
                stream.begin();
            } catch (RuntimeException e) {
                stream.onError(e);
            }
        }
    }

    private void scheduleSignOfLife(Duration wait) {
        alive = loop.clock().after(wait, () -> {
            Duration next = answer.signOfLife(loop.streams().silence());
            if (!over) { // the client may have gone at this very moment
                scheduleSignOfLife(next);
            }
        });
    }

    private void askAll() {
        List.copyOf(running).forEach(ClientStream::ask);
    }

    @Override
    public boolean writable() {
        return answer.writable();
    }

    @Override
    public void ended(ClientStream stream) {
        running.remove(stream);
    }

    /** A choice has finished, and its last frame is written. */
    public void finished(int choice, Usage usage) {
        if (choice % plan.request().n() == 0) {
            promptTokens += usage.promptTokens(); // of each prompt once
            cachedTokens += usage.cachedTokens(); // by the first of its choices
        }
        completionTokens += usage.completionTokens();
        if (--unfinished == 0 && !over) {
            stop();
            try {
                answer.end(new Usage(promptTokens, completionTokens, cachedTokens));
            } catch (RuntimeException e) { // a fault of ours
                log.error("answer could not be ended: path={}", exchange.request().path(), e);
                tell(Answers.error(ErrorCode.INTERNAL, ServerTexts.FAULT));
            }
        }
    }

    /** Ends all choices with an error. */
    public void fail(HttpError error) {
        if (!over) {
            stop();
            tell(error);
        }
    }

    private void tell(HttpError error) {
        try {
            answer.fail(error);
        } catch (RuntimeException e) { // then there is no end that a client could read
            log.error("answer broken off: path={}", exchange.request().path(), e);
            abort();
            closed.tryComplete();
        }
    }

    /** The answer has been given; it is out when this completes, or the client has gone. */
    public void ended(Future<Void> written) {
        written.onComplete(done -> closed.tryComplete());
    }

    /** Ends all choices because somebody wants no more of them. */
    public void cancel() {
        if (!over) {
            stop();
            try {
                answer.cancelled();
            } catch (RuntimeException e) { // a fault of ours
                log.error("answer could not be cancelled: path={}", exchange.request().path(), e);
                tell(Answers.error(ErrorCode.INTERNAL, ServerTexts.FAULT));
            }
        }
    }

    private void gone() {
        boolean early = !over;
        stop();
        if (early) {
            answer.gone();
        }
        closed.tryComplete();
    }

    private void stop() {
        over = true;
        running.forEach(ClientStream::abandon);
        running.clear();
        leases.forEach(StreamLease::close);
        if (alive != null) {
            alive.cancel();
        }
    }

    @Override
    public Future<Void> closed() {
        return closed.future();
    }

    @Override
    public int underWay() {
        return running.size();
    }

    @Override
    public void drain() {} // it takes nothing new by itself

    @Override
    public void breakOff() {
        fail(Answers.error(ErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN));
    }

    @Override
    public void abort() {
        Abort.answer(exchange.request());
    }
}

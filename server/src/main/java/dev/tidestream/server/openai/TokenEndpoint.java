package dev.tidestream.server.openai;

import java.util.List;

import io.vertx.core.Future;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.StreamResetException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.server.keys.KeyLimitException;
import dev.tidestream.server.keys.Owner;
import dev.tidestream.server.keys.StreamLease;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.openai.wire.DeadlineHeader;
import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.endpoint.Body;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.endpoint.RequestRefusedException;
import dev.tidestream.server.transport.endpoint.Sessions;
import dev.tidestream.server.transport.http.HttpError;

/** An endpoint that answers with tokens. Event loop. */
public final class TokenEndpoint {
    private static final Logger log = LoggerFactory.getLogger(TokenEndpoint.class);
    private static final int FAULT = 500;
    private static final int SMALL_BYTES = 16 << 10; // more is read on a worker

    private final EndpointFactory.Loop loop;
    private final Backend backend;
    private final boolean worker;
    private final Planner planner;

    /** From the text of a body, and whose it is, to what is to be done; any thread. */
    public interface Planner {
        Job plan(String body, Owner owner) throws BadRequestException;
    }

    /**
     * What is to be done for a request.
     *
     * @param plan what is to be generated
     * @param maker makes the answer; called on the event loop
     */
    public record Job(Plan plan, Answer.Maker maker) {}

    /** @param worker whether even short requests are read on a worker, since that takes its time */
    public TokenEndpoint(EndpointFactory.Loop loop, Backend backend, boolean worker, Planner planner) {
        this.loop = loop;
        this.backend = backend;
        this.worker = worker;
        this.planner = planner;
    }

    /** Answers a POST at a path. */
    public Endpoint at(String path) {
        return new Endpoint(HttpMethod.POST, path, Auth.COUNTED, loop.sessions(), this::handle);
    }

    private void handle(Exchange exchange) {
        exchange.body(loop.maxBodyBytes()).onComplete(came -> {
            if (came.succeeded()) {
                plan(exchange, came.result());
            } else {
                refuse(exchange, came.cause());
            }
        });
    }

    /** With a place from now on, so that what waits for a worker is bounded; who is slow to send a body takes none. */
    private void plan(Exchange exchange, Body body) {
        Sessions.Place place = loop.sessions().reserve();
        if (place == null) {
            body.release();
            exchange.refuse(loop.sessions().refusal());
            return;
        }
        Owner owner = exchange.account().owner();
        List<String> deadline = exchange.request().headers().getAll(DeadlineHeader.NAME);
        Future<Job> planned = !worker && body.bytes().length() <= SMALL_BYTES
                ? Future.future(promise -> promise.complete(planned(body, owner, deadline)))
                : loop.workers().run(exchange, () -> planned(body, owner, deadline));
        planned.onComplete(done -> body.release())
                .compose(job -> Future.fromCompletionStage(backend.fingerprints().ready(), loop.context()).map(job))
                .compose(job -> session(exchange, job))
                .onComplete(done -> {
                    if (done.failed()) {
                        place.release();
                        refuse(exchange, done.cause());
                    } else {
                        place.open(done.result());
                    }
                });
    }

    private Job planned(Body body, Owner owner, List<String> deadline) {
        try {
            long deadlineMs = DeadlineHeader.of(deadline);
            Job job = planner.plan(body.bytes().toString(), owner);
            return new Job(job.plan().within(deadlineMs), job.maker());
        } catch (BadRequestException e) {
            throw new RequestRefusedException(e.error());
        }
    }

    /** Fails with a {@link KeyLimitException} if the key may not have so many streams. */
    private Future<HttpGeneration> session(Exchange exchange, Job job) {
        if (loop.stopping().getAsBoolean()) { // it was not when the request came
            return Future.failedFuture(new RequestRefusedException(loop.sessions().refusal()));
        }
        List<StreamLease> leases;
        try {
            leases = exchange.account().streams(job.plan().choices(), job.plan().request().n());
        } catch (KeyLimitException e) {
            return Future.failedFuture(e);
        }
        HttpGeneration made = null;
        try {
            made = new HttpGeneration(exchange, loop, backend, job.plan(), leases, job.maker());
            return Future.succeededFuture(made);
        } finally {
            if (made == null) {
                leases.forEach(StreamLease::close);
            }
        }
    }

    /** Answers a request that could not be carried out. */
    public static void refuse(Exchange exchange, Throwable cause) {
        if (exchange.response().closed() || cause instanceof StreamResetException) {
            return; // the client has gone, or wants no answer any more
        }
        if (cause instanceof RequestRefusedException refused) {
            exchange.refuse(refused.error());
        } else if (cause instanceof KeyLimitException limit) {
            exchange.refuse(limit);
        } else {
            log.error("request failed: path={}", exchange.request().path(), cause);
            exchange.refuse(HttpError.of(FAULT, null, ServerTexts.FAULT));
        }
    }
}

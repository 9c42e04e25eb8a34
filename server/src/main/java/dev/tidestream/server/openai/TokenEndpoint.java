package dev.tidestream.server.openai;

import java.util.List;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.server.keys.KeyLimitException;
import dev.tidestream.server.keys.Owner;
import dev.tidestream.server.keys.StreamLease;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.endpoint.RequestRefusedException;
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
        Owner owner = exchange.account().owner();
        exchange.body(loop.maxBodyBytes())
                .compose(body -> !worker && body.length() <= SMALL_BYTES
                        ? Future.future(promise -> promise.complete(planned(body, owner)))
                        : loop.context().executeBlocking(() -> planned(body, owner)))
                .compose(job -> Future.fromCompletionStage(backend.fingerprints().ready(), loop.context()).map(job))
                .onComplete(planned -> {
                    if (planned.succeeded()) {
                        begin(exchange, planned.result());
                    } else {
                        refuse(exchange, planned.cause());
                    }
                });
    }

    private Job planned(Buffer body, Owner owner) {
        try {
            return planner.plan(body.toString(), owner);
        } catch (BadRequestException e) {
            throw new RequestRefusedException(e.error());
        }
    }

    private void begin(Exchange exchange, Job job) {
        if (!loop.sessions().hasRoom()) { // there was when the request began to come
            Answers.refuse(exchange, loop.stopping().getAsBoolean()
                    ? Answers.error(ErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN)
                    : Answers.error(ErrorCode.BUSY, "the server answers as many requests as it can"));
            return;
        }
        List<StreamLease> leases;
        try {
            leases = exchange.account().streams(job.plan().choices(), job.plan().request().n());
        } catch (KeyLimitException e) {
            exchange.refuse(e);
            return;
        }
        loop.sessions().open(new HttpGeneration(exchange, loop, backend, job.plan(), leases, job.maker()));
    }

    /** Answers a request that could not be carried out. */
    public static void refuse(Exchange exchange, Throwable cause) {
        if (exchange.response().closed()) {
            return; // the client has gone
        }
        if (cause instanceof RequestRefusedException refused) {
            Answers.refuse(exchange, refused.error());
        } else {
            log.error("request failed: path={}", exchange.request().path(), cause);
            Answers.refuse(exchange, HttpError.of(FAULT, null, ServerTexts.FAULT));
        }
    }
}

package dev.tidestream.server.receipts.verify;

import java.time.Duration;
import java.util.List;

import io.vertx.core.Future;
import io.vertx.core.http.HttpMethod;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.keys.KeyLimitException;
import dev.tidestream.server.keys.StreamLease;
import dev.tidestream.server.openai.Answers;
import dev.tidestream.server.openai.Backend;
import dev.tidestream.server.openai.TokenEndpoint;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.openai.wire.RequestReader;
import dev.tidestream.server.receipts.JwkSet;
import dev.tidestream.server.receipts.ServedContent;
import dev.tidestream.server.receipts.SignedReceipt;
import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.endpoint.Body;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.endpoint.RequestRefusedException;
import dev.tidestream.server.transport.endpoint.Sessions;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/** {@code POST /v1/verify}, and the keys that receipts are verified with: {@code GET /.well-known/jwks.json}. */
public final class VerifyEndpoints implements EndpointFactory {
    /** Where the keys are. */
    public static final String KEYS_PATH = "/.well-known/jwks.json";
    /** Where receipts are verified. */
    public static final String PATH = "/v1/verify";

    private static final int OK = 200;
    private static final int UNAVAILABLE = 503;

    private final Backend backend;
    private final JwkSet own;
    private final JwkSet trusted;
    private final ServedContent content;
    private final int maxVerifications;
    private final Duration patience;

    /**
     * @param own keys that this server signs with
     * @param trusted keys whose receipts are genuine: these, and others
     * @param maxVerifications most that are computed at once
     * @param patience how long computing one may take, at least 1 ms
     */
    public VerifyEndpoints(
            Backend backend, JwkSet own, JwkSet trusted, ServedContent content, int maxVerifications, Duration patience) {
        this.backend = backend;
        this.own = own;
        this.trusted = trusted;
        this.content = content;
        this.maxVerifications = maxVerifications;
        this.patience = patience;
    }

    @Override
    public List<Endpoint> endpoints(Loop loop) {
        return List.of(Endpoint.get(KEYS_PATH, Auth.ANY_HOST, exchange -> exchange.answer(OK, own::writeTo)),
                new Endpoint(HttpMethod.POST, PATH, Auth.COUNTED, loop.sessions(), new Verifications(loop)::handle));
    }

    /** Those of an event loop. */
    private final class Verifications {
        private final Loop loop;
        private final RequestReader reader;
        private final Judge judge = new Judge(trusted, content);
        private final Object connection = new Object(); // they take turns with clients as if they were one of them
        private int running;

        Verifications(Loop loop) {
            this.loop = loop;
            this.reader = RequestReader.of(loop.limits());
        }

        void handle(Exchange exchange) {
            exchange.body(loop.maxBodyBytes()).onComplete(came -> {
                if (came.succeeded()) {
                    verify(exchange, came.result());
                } else {
                    TokenEndpoint.refuse(exchange, came.cause());
                }
            });
        }

        private void verify(Exchange exchange, Body body) {
            Sessions.Place place = loop.sessions().reserve();
            if (place == null) {
                body.release();
                exchange.refuse(loop.sessions().refusal());
                return;
            }
            Future.fromCompletionStage(content.ready(), loop.context())
                    .compose(ready -> loop.workers().run(exchange, () -> judged(body)))
                    .onComplete(done -> body.release())
                    .compose(judged -> decide(exchange, place, judged))
                    .onComplete(done -> place.release())
                    .onFailure(cause -> TokenEndpoint.refuse(exchange, cause));
        }

        private Judge.Judged judged(Body body) {
            try {
                return judge.judge(VerifyRequest.read(reader, body.bytes().toString(), backend));
            } catch (BadRequestException e) {
                throw new RequestRefusedException(e.error());
            }
        }

        /** Completes when the answer is out, or the client has gone. */
        private Future<Void> decide(Exchange exchange, Sessions.Place place, Judge.Judged judged) {
            Judge.Recompute recompute = judged.recompute();
            if (recompute == null || judged.verdict() != null) {
                return exchange.response().closed() ? Future.succeededFuture() : answer(exchange, judged.receipt(), judged.verdict());
            }
            if (loop.stopping().getAsBoolean()) { // it was not when the request came
                return Future.failedFuture(new RequestRefusedException(loop.sessions().refusal()));
            }
            if (running >= maxVerifications) {
                return Future.failedFuture(new RequestRefusedException(HttpError.of(UNAVAILABLE, "overloaded",
                        "as many receipts are being verified as may be, try again later: limit=" + maxVerifications)));
            }
            StreamLease lease;
            try {
                lease = exchange.account().streams(1, 1).getFirst();
            } catch (KeyLimitException e) {
                return Future.failedFuture(e);
            }
            running++;
            Verification[] self = new Verification[1];
            self[0] = new Verification(exchange, loop, backend.engine(), recompute, lease, connection, patience,
                    verdict -> self[0].answered(answer(exchange, judged.receipt(), verdict)));
            place.open(self[0]);
            return self[0].closed().onComplete(done -> running--);
        }

        private Future<Void> answer(Exchange exchange, @Nullable SignedReceipt receipt, @Nullable Verdict verdict) {
            if (verdict == null) {
                throw new IllegalStateException("neither a verdict nor a stream to be computed");
            }
            return Answers.send(exchange, loop.memory(), JsonAnswer.bytes(json -> verdict.writeTo(json, receipt)));
        }
    }
}

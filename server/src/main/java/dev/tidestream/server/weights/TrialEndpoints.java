package dev.tidestream.server.weights;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;

import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.TrialsDesk;
import dev.tidestream.server.canary.CanaryReport;
import dev.tidestream.server.canary.CanarySpec;
import dev.tidestream.server.canary.ShadowReport;
import dev.tidestream.server.canary.ShadowSpec;
import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.endpoint.AdminDoor;
import dev.tidestream.server.transport.endpoint.Body;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.JsonAnswer;

/**
 * Versions that are held, and tried before they are published.
 *
 * <pre>
 * POST   /admin/weights/publish          a held version is served           200
 * POST   /admin/weights/canary           a share of new streams begins      201
 * GET    /admin/weights/canary           with counts of both sides          200
 * DELETE /admin/weights/canary           ends it                            200
 * POST   /admin/weights/canary/promote   publishes its version              200
 * POST   /admin/weights/shadow           logits beside live streams         201
 * GET    /admin/weights/shadow           what they differ by                200
 * DELETE /admin/weights/shadow           ends it                            200
 * </pre>
 */
final class TrialEndpoints implements EndpointFactory {
    private static final String PUBLISH = "/admin/weights/publish";
    private static final String CANARY = "/admin/weights/canary";
    private static final String SHADOW = "/admin/weights/shadow";
    private static final int OK = 200;
    private static final int CREATED = 201;
    private static final int MAX_UNDER_WAY = 32;

    private final TrialsDesk trials;
    private final DeskThreads calls;
    private final LongSupplier current;
    private final EventLog audit;

    /** @see WeightEndpoints#WeightEndpoints */
    TrialEndpoints(TrialsDesk trials, DeskThreads calls, LongSupplier current, EventLog audit) {
        this.trials = trials;
        this.calls = calls;
        this.current = current;
        this.audit = audit;
    }

    @Override
    public List<Endpoint> endpoints(Loop loop) {
        if (loop.admin().isEmpty()) {
            return List.of();
        }
        Asked asked = new Asked(loop, loop.admin().get());
        return List.of(
                asked.endpoint(HttpMethod.POST, PUBLISH, asked::publish),
                asked.endpoint(HttpMethod.POST, CANARY, asked::beginCanary),
                asked.endpoint(HttpMethod.GET, CANARY, asked::canary),
                asked.endpoint(HttpMethod.DELETE, CANARY, asked::endCanary),
                asked.endpoint(HttpMethod.POST, CANARY + "/promote", asked::promote),
                asked.endpoint(HttpMethod.POST, SHADOW, asked::beginShadow),
                asked.endpoint(HttpMethod.GET, SHADOW, asked::shadow),
                asked.endpoint(HttpMethod.DELETE, SHADOW, asked::endShadow));
    }

    /** What is asked on one event loop. */
    private final class Asked {
        private final Loop loop;
        private final AdminDoor door;
        private int underWay;

        Asked(Loop loop, AdminDoor door) {
            this.loop = loop;
            this.door = door;
        }

        Endpoint endpoint(HttpMethod method, String path, Consumer<Exchange> handler) {
            return new Endpoint(method, path, door.auth(), () -> underWay < MAX_UNDER_WAY, handler);
        }

        /** Has the desk answer. */
        private void call(Exchange exchange, int status, Callable<JsonAnswer.Body> call) {
            underWay++;
            calls.run(loop.context(), call).onComplete(done -> {
                underWay--;
                if (exchange.response().closed()) {
                    return; // the client has gone; what it asked for is done
                }
                if (done.succeeded()) {
                    exchange.answer(status, done.result());
                } else {
                    WeightAnswers.refuse(exchange, done.cause(), current.getAsLong());
                }
            });
        }

        /** Reads a body. */
        private interface Reads<T> {
            T read(Buffer body) throws AdminException;
        }

        private <T> void withBody(Exchange exchange, Reads<T> reads, Consumer<T> then) {
            exchange.body(WeightRequests.MAX_BODY_BYTES).onComplete(came -> {
                if (came.failed()) {
                    WeightAnswers.refuse(exchange, came.cause(), current.getAsLong());
                    return;
                }
                Body body = came.result();
                T read;
                try {
                    read = reads.read(body.bytes());
                } catch (AdminException e) {
                    WeightAnswers.refuse(exchange, e, current.getAsLong());
                    return;
                } finally {
                    body.release();
                }
                then.accept(read);
            });
        }

        private EventLine line(Exchange exchange, String event, String outcome) {
            return EventLine.of(event).with("outcome", outcome).with(door.caller().apply(exchange.request()));
        }

        void publish(Exchange exchange) {
            withBody(exchange, TrialRequests::version, version -> call(exchange, OK, () -> {
                boolean changed = trials.publish(version);
                audit.done(line(exchange, "publish", changed ? "published" : "unchanged").with("version", version));
                return published(version, changed);
            }));
        }

        private JsonAnswer.Body published(long version, boolean changed) {
            return json -> {
                json.writeNumberField("version", version);
                json.writeBooleanField("changed", changed);
            };
        }

        void beginCanary(Exchange exchange) {
            withBody(exchange, TrialRequests::canary, spec -> call(exchange, CREATED, () -> {
                CanaryReport begun = trials.begin(spec);
                audit.done(of(line(exchange, "canary", "begun"), spec).with("baseline_version", begun.baselineVersion()));
                return TrialAnswers.ofCanary(Optional.of(begun));
            }));
        }

        private EventLine of(EventLine line, CanarySpec spec) {
            return line.with("version", spec.weightsVersion()).with("share", spec.share()).with("by", spec.by().wireName());
        }

        void canary(Exchange exchange) {
            call(exchange, OK, () -> TrialAnswers.ofCanary(trials.canary()));
        }

        void endCanary(Exchange exchange) {
            call(exchange, OK, () -> {
                boolean runs = trials.canary().filter(CanaryReport::runs).isPresent();
                Optional<CanaryReport> ended = trials.endCanary();
                if (runs) {
                    ended.ifPresent(report -> audit.done(of(line(exchange, "canary", "ended"), report.spec())));
                }
                return TrialAnswers.ofCanary(ended);
            });
        }

        void promote(Exchange exchange) {
            call(exchange, OK, () -> {
                long version = trials.promote();
                audit.done(line(exchange, "publish", "published").with("version", version).with("from", "canary"));
                return published(version, true);
            });
        }

        void beginShadow(Exchange exchange) {
            withBody(exchange, TrialRequests::shadow, spec -> call(exchange, CREATED, () -> {
                ShadowReport begun = trials.begin(spec);
                audit.done(of(line(exchange, "shadow", "begun"), spec));
                return TrialAnswers.ofShadow(Optional.of(begun));
            }));
        }

        private EventLine of(EventLine line, ShadowSpec spec) {
            return line.with("version", spec.weightsVersion()).with("share", spec.share());
        }

        void shadow(Exchange exchange) {
            call(exchange, OK, () -> TrialAnswers.ofShadow(trials.shadow()));
        }

        void endShadow(Exchange exchange) {
            call(exchange, OK, () -> {
                boolean runs = trials.shadow().filter(ShadowReport::runs).isPresent();
                Optional<ShadowReport> ended = trials.endShadow();
                if (runs) {
                    ended.ifPresent(report -> audit.done(of(line(exchange, "shadow", "ended"), report.spec())
                            .with("rows", report.figures().rows()).with("mean_kl", report.figures().rows() == 0 ? 0 : report.figures().meanKl())
                            .with("max_delta", report.figures().maxDelta()).with("other_streams", report.figures().otherStreams())));
                }
                return TrialAnswers.ofShadow(ended);
            });
        }
    }
}

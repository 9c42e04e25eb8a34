package dev.tidestream.server.weights;

import java.util.List;
import java.util.function.LongSupplier;

import io.vertx.core.http.HttpMethod;

import dev.tidestream.server.admin.AdaptersDesk;
import dev.tidestream.server.admin.AdaptersDesk.Merging;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.UpdatesDesk.Committed;
import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.endpoint.AdminDoor;
import dev.tidestream.server.transport.endpoint.Body;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/** {@code POST /admin/adapters/NAME/merge}: a version of the weights with an adapter in it. A name may have slashes. */
public final class MergeEndpoints implements EndpointFactory {
    private static final String ADAPTERS = "/admin/adapters/";
    private static final String MERGE = "/merge";
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;
    private static final int MAX_UNDER_WAY = 4;

    private final AdaptersDesk desk;
    private final DeskThreads calls;
    private final LongSupplier current;
    private final EventLog audit;

    /**
     * @param calls closed by the caller, after the server that these are part of
     * @param current the version that is served
     * @param audit where it is written down what administrators do
     */
    public MergeEndpoints(AdaptersDesk desk, DeskThreads calls, LongSupplier current, EventLog audit) {
        this.desk = desk;
        this.calls = calls;
        this.current = current;
        this.audit = audit;
    }

    @Override
    public List<Endpoint> endpoints(Loop loop) {
        if (loop.admin().isEmpty()) {
            return List.of();
        }
        AdminDoor door = loop.admin().get();
        Asked asked = new Asked(loop, door);
        return List.of(new Endpoint(HttpMethod.POST, ADAPTERS + "*", door.auth(), () -> asked.underWay < MAX_UNDER_WAY, asked::merge));
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

        void merge(Exchange exchange) {
            String rest = rest(exchange);
            if (!rest.endsWith(MERGE) || rest.length() == MERGE.length()) {
                exchange.refuse(HttpError.of(NOT_FOUND, "not_found",
                        "no such path: " + JsonAnswer.shown(String.valueOf(exchange.request().path()))));
                return;
            }
            String name = rest.substring(0, rest.length() - MERGE.length());
            exchange.body(WeightRequests.MAX_BODY_BYTES).onComplete(came -> {
                if (came.failed()) {
                    fail(exchange, came.cause());
                    return;
                }
                Body body = came.result();
                Merging merging;
                try {
                    merging = WeightRequests.merging(body.bytes());
                } catch (AdminException e) {
                    fail(exchange, e);
                    return;
                } finally {
                    body.release();
                }
                merge(exchange, name, merging);
            });
        }

        /** Nothing where it is written as no name is. */
        private String rest(Exchange exchange) {
            try {
                return exchange.rest();
            } catch (IllegalArgumentException e) {
                return "";
            }
        }

        private void merge(Exchange exchange, String name, Merging merging) {
            underWay++;
            calls.run(loop.context(), () -> merged(exchange, name, merging)).onComplete(done -> {
                underWay--;
                if (exchange.response().closed()) {
                    return; // the client has gone; what it asked for is done
                }
                if (done.succeeded()) {
                    exchange.answer(OK, WeightAnswers.of(done.result()));
                } else {
                    fail(exchange, done.cause());
                }
            });
        }

        private Committed merged(Exchange exchange, String name, Merging merging) throws AdminException {
            try {
                Committed done = desk.merge(name, merging);
                audit.done(line(exchange, done.repeated() ? "repeated" : "committed", name, merging).with("version", done.version()));
                return done;
            } catch (AdminException e) {
                audit.refused("adapter_merge_" + e.code().wireName(), () -> line(exchange, "refused", name, merging)
                        .with("code", e.code().wireName()).withText("message", e.getMessage()));
                throw e;
            }
        }

        private EventLine line(Exchange exchange, String outcome, String name, Merging merging) {
            return EventLine.of("adapter_merge").with("outcome", outcome).with(door.caller().apply(exchange.request()))
                    .withText("name", name).withText("update_id", merging.updateId());
        }

        private void fail(Exchange exchange, Throwable cause) {
            WeightAnswers.refuse(exchange, cause, current.getAsLong());
        }
    }
}

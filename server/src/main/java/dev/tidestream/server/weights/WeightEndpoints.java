package dev.tidestream.server.weights;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.TrialsDesk;
import dev.tidestream.server.admin.UpdatesDesk;
import dev.tidestream.server.admin.VersionsDesk;
import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.endpoint.AdminDoor;
import dev.tidestream.server.transport.endpoint.Body;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/**
 * {@code /admin/weights/…}: what administrators do with weights over HTTP.
 *
 * <pre>
 * POST /admin/weights/updates                     opens                     201, or 200 if it is known
 * GET  /admin/weights/updates/ID                  its state                 200
 * PUT  /admin/weights/updates/ID/parts/N          a safetensors file        204
 * POST /admin/weights/updates/ID/commit           all parts: one version    200
 * POST /admin/weights/updates/ID/abort            gives it up               204
 * GET  /admin/weights/versions?from=…&amp;limit=…     versions, oldest first    200
 * GET  /admin/weights/versions/V                  one, with checksums       200
 * POST /admin/weights/versions/V/verify           computes it anew          200
 * POST /admin/weights/rollback                    a version with older bits 200
 * </pre>
 *
 * And those of {@link TrialEndpoints}.
 */
public final class WeightEndpoints implements EndpointFactory {
    private static final String UPDATES = "/admin/weights/updates";
    private static final String VERSIONS = "/admin/weights/versions";
    private static final String ROLLBACK = "/admin/weights/rollback";
    private static final int OK = 200;
    private static final int CREATED = 201;
    private static final int NO_CONTENT = 204;
    private static final int NOT_FOUND = 404;
    private static final int LENGTH_REQUIRED = 411;
    private static final int MAX_LISTED = 500;
    private static final int MAX_UNDER_WAY = 32;
    private static final int MAX_PART = 999_999;

    private final UpdatesDesk updates;
    private final VersionsDesk versions;
    private final TrialEndpoints trials;
    private final DeskThreads calls;
    private final LongSupplier current;
    private final EventLog audit;

    /**
     * @param calls closed by the caller, after the server that these are part of
     * @param current the version that is served
     * @param audit where it is written down what administrators do
     */
    public WeightEndpoints(
            UpdatesDesk updates, VersionsDesk versions, TrialsDesk trials, DeskThreads calls, LongSupplier current, EventLog audit) {
        this.updates = updates;
        this.versions = versions;
        this.trials = new TrialEndpoints(trials, calls, current, audit);
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
        List<Endpoint> endpoints = new ArrayList<>();
        endpoints.add(asked.endpoint(HttpMethod.POST, UPDATES, asked::open));
        for (HttpMethod method : List.of(HttpMethod.GET, HttpMethod.PUT, HttpMethod.POST)) {
            endpoints.add(asked.endpoint(method, UPDATES + "/*", asked::update));
        }
        endpoints.add(asked.endpoint(HttpMethod.GET, VERSIONS, asked::list));
        endpoints.add(asked.endpoint(HttpMethod.GET, VERSIONS + "/*", asked::version));
        endpoints.add(asked.endpoint(HttpMethod.POST, VERSIONS + "/*", asked::version));
        endpoints.add(asked.endpoint(HttpMethod.POST, ROLLBACK, asked::rollback));
        endpoints.addAll(trials.endpoints(loop));
        return endpoints;
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

        /** Has a desk answer. */
        private <T> void call(Exchange exchange, Callable<T> call, BiConsumer<Exchange, T> answer) {
            underWay++;
            calls.run(loop.context(), call).onComplete(done -> {
                underWay--;
                if (exchange.response().closed()) {
                    return; // the client has gone; what it asked for is done
                }
                if (done.succeeded()) {
                    answer.accept(exchange, done.result());
                } else {
                    fail(exchange, done.cause());
                }
            });
        }

        private void fail(Exchange exchange, Throwable cause) {
            WeightAnswers.refuse(exchange, cause, current.getAsLong());
        }

        /** Reads what a body asks for. */
        private interface Reads<T> {
            T read(Buffer body) throws AdminException;
        }

        private <T> void withBody(Exchange exchange, Reads<T> reads, Consumer<T> then) {
            exchange.body(WeightRequests.MAX_BODY_BYTES).onComplete(came -> {
                if (came.failed()) {
                    fail(exchange, came.cause());
                    return;
                }
                Body body = came.result();
                T read;
                try {
                    read = reads.read(body.bytes());
                } catch (AdminException e) {
                    fail(exchange, e);
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

        void open(Exchange exchange) {
            withBody(exchange, WeightRequests::opening, opening -> call(exchange, () -> updates.open(opening), (to, opened) -> {
                if (opened.isNew()) {
                    audit.done(line(exchange, "update_open", "opened").withText("update_id", opening.updateId())
                            .with("base_version", opening.baseVersion()).withText("label", opening.label()));
                }
                to.answer(opened.isNew() ? CREATED : OK, WeightAnswers.of(opened.state()));
            }));
        }

        /** What stands behind the path, split at slashes. */
        private List<String> rest(Exchange exchange) {
            try {
                return Arrays.asList(exchange.rest().split("/", -1));
            } catch (IllegalArgumentException e) {
                return List.of(); // no name is written like that
            }
        }

        void update(Exchange exchange) {
            List<String> rest = rest(exchange);
            HttpMethod method = exchange.request().method();
            boolean post = method.equals(HttpMethod.POST);
            String id = rest.isEmpty() ? "" : rest.getFirst();
            if (!WeightRequests.UPDATE_ID.matcher(id).matches()) {
                nothingThere(exchange);
            } else if (rest.size() == 1 && !post && !method.equals(HttpMethod.PUT)) {
                call(exchange, () -> updates.find(id), (to, state) -> to.answer(OK, WeightAnswers.of(state)));
            } else if (rest.size() == 2 && post && rest.get(1).equals("commit")) {
                withBody(exchange, WeightRequests::commit, commit -> commit(exchange, id, commit));
            } else if (rest.size() == 2 && post && rest.get(1).equals("abort")) {
                abort(exchange, id);
            } else if (rest.size() == 3 && method.equals(HttpMethod.PUT) && rest.get(1).equals("parts")) {
                part(exchange, id, rest.get(2));
            } else {
                nothingThere(exchange);
            }
        }

        private void nothingThere(Exchange exchange) {
            exchange.refuse(HttpError.of(NOT_FOUND, "not_found", "no such path, or another method: "
                    + JsonAnswer.shown(exchange.request().method() + " " + exchange.request().path())));
        }

        private void commit(Exchange exchange, String id, WeightRequests.Commit commit) {
            Callable<UpdatesDesk.Committed> work = () -> {
                try {
                    UpdatesDesk.Committed done = updates.commit(id, commit.parts(), commit.manifestSha256());
                    audit.done(line(exchange, "update", done.repeated() ? "repeated" : "committed").withText("update_id", id)
                            .with("tensors", done.changed().size()).with("bytes", done.bytes()).with("version", done.version())
                            .with("held", done.held()));
                    return done;
                } catch (AdminException e) {
                    audit.refused("update_" + e.code().wireName(), () -> line(exchange, "update", "refused").withText("update_id", id)
                            .with("code", e.code().wireName()).withText("message", e.getMessage()));
                    throw e;
                }
            };
            call(exchange, work, (to, done) -> to.answer(OK, WeightAnswers.of(done)));
        }

        private void abort(Exchange exchange, String id) {
            call(exchange, () -> {
                updates.abort(id);
                audit.done(line(exchange, "update", "aborted").withText("update_id", id));
                return true;
            }, (to, done) -> noContent(to));
        }

        private Future<Void> noContent(Exchange exchange) {
            return exchange.response().setStatusCode(NO_CONTENT).end();
        }

        private void part(Exchange exchange, String id, String number) {
            String sha256 = exchange.request().getHeader("x-content-sha256");
            String length = exchange.request().getHeader(HttpHeaders.CONTENT_LENGTH);
            if (length == null) {
                exchange.refuse(HttpError.of(LENGTH_REQUIRED, "missing_field", "content-length", "a part needs a Content-Length"));
            } else if (sha256 == null || !WeightRequests.SHA_256.matcher(sha256).matches()) {
                fail(exchange, new AdminException(AdminErrorCode.INVALID_VALUE, "x-content-sha256 must be 64 lower-case hexadecimal digits: "
                        + JsonAnswer.shown(String.valueOf(sha256))));
            } else if (!number.matches("[0-9]{1,6}")) {
                fail(exchange, new AdminException(AdminErrorCode.INVALID_VALUE, "parts are numbered 0..%d: %s"
                        .formatted(MAX_PART, JsonAnswer.shown(number))));
            } else {
                long bytes = Long.parseLong(length); // the decoder takes digits alone
                underWay++;
                PartReceiver.receive(exchange, loop, calls, bytes,
                        () -> updates.receive(id, Integer.parseInt(number), sha256, bytes), failure -> {
                            underWay--;
                            if (exchange.response().closed()) {
                                return Future.succeededFuture(); // the client has gone
                            }
                            if (failure == null) {
                                return noContent(exchange);
                            }
                            fail(exchange, failure);
                            return Future.succeededFuture();
                        });
            }
        }

        void list(Exchange exchange) {
            long from = number(exchange, "from", 1);
            int limit = (int) Math.min(number(exchange, "limit", MAX_LISTED), MAX_LISTED);
            if (from < 1 || limit < 1) {
                fail(exchange, new AdminException(AdminErrorCode.INVALID_VALUE, "from and limit must be positive numbers"));
                return;
            }
            call(exchange, () -> versions.list(from, limit), (to, all) -> to.answer(OK, json -> {
                json.writeNumberField("current", current.getAsLong());
                json.writeArrayFieldStart("versions");
                for (VersionsDesk.VersionInfo version : all) {
                    json.writeStartObject();
                    WeightAnswers.write(version, json);
                    json.writeEndObject();
                }
                json.writeEndArray();
            }));
        }

        /** A number of the query, -1 if it is none. */
        private long number(Exchange exchange, String name, long absent) {
            String text = exchange.request().getParam(name);
            if (text == null) {
                return absent;
            }
            return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : -1;
        }

        void version(Exchange exchange) {
            List<String> rest = rest(exchange);
            boolean post = exchange.request().method().equals(HttpMethod.POST);
            if (rest.isEmpty() || !rest.getFirst().matches("[0-9]{1,18}")) {
                nothingThere(exchange);
                return;
            }
            long version = Long.parseLong(rest.getFirst());
            if (rest.size() == 1 && !post) {
                call(exchange, () -> versions.find(version), (to, found) -> to.answer(OK, WeightAnswers.of(found)));
            } else if (rest.size() == 2 && post && rest.get(1).equals("verify")) {
                call(exchange, () -> versions.verify(version), (to, verified) -> to.answer(OK, WeightAnswers.of(verified)));
            } else {
                nothingThere(exchange);
            }
        }

        void rollback(Exchange exchange) {
            withBody(exchange, WeightRequests::rollback, back -> call(exchange, () -> {
                long version = versions.rollback(back);
                audit.done(line(exchange, "rollback", "committed").with("to_version", back).with("version", version));
                return version;
            }, (to, version) -> to.answer(OK, json -> {
                json.writeNumberField("version", version);
                json.writeNumberField("to", back);
            })));
        }
    }
}

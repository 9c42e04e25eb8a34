package dev.tidestream.server.weights.trainer;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import io.vertx.core.http.HttpMethod;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.UpdatesDesk;
import dev.tidestream.server.admin.VersionsDesk;
import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.endpoint.AdminDoor;
import dev.tidestream.server.transport.endpoint.Body;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.JsonAnswer;
import dev.tidestream.server.weights.DeskThreads;
import dev.tidestream.server.weights.WeightAnswers;

/**
 * The endpoints of vLLM and SGLang that trainers push weights by, for administrators.
 *
 * <pre>
 * vLLM    POST /pause?mode=keep|wait|abort       POST /resume                     GET /is_paused
 *         POST /init_weight_transfer_engine      {"init_info":{"backend"?}}       GET /get_world_size
 *         POST /start_weight_update              opens a transaction
 *         POST /update_weights                   {"update_info":{"files"} or {"names","dtype_names","shapes","data"}}
 *         POST /finish_weight_update             {"weight_version"?}: one version
 *         POST /update_weight_version            {"new_version"}                  GET /weight_info
 * SGLang  POST /update_weights_from_disk         {"model_path","weight_version"?, …}: one version
 *         POST /pause_generation {"mode"?}       POST /continue_generation        GET /get_weight_version
 * </pre>
 *
 * An update needs no pause here: versions change between two steps, and a stream says which one made each token. So a pause that keeps
 * what runs stops nothing, and says so. Sources: vLLM's {@code api_router} of {@code rlhf}, SGLang's {@code http_server}.
 */
public final class TrainerEndpoints implements EndpointFactory {
    private static final int OK = 200;
    private static final int MAX_UNDER_WAY = 32;
    private static final int MAX_NAME_CHARS = 256;
    private static final int MAX_PATH_CHARS = 1024;
    private static final String BACKEND = "http_safetensors";
    private static final Set<String> UPDATE_INFO = Set.of("backend", "files", "names", "dtype_names", "shapes", "data");
    private static final Set<String> FROM_DISK = Set.of("model_path", "load_format", "abort_all_requests", "weight_version", "is_async",
            "torch_empty_cache", "keep_pause", "recapture_cuda_graph", "token_step", "flush_cache");
    private static final Set<String> FORMATS = Set.of("auto", "safetensors");

    private final TrainerUpdates updates;
    private final TrainerFiles files;
    private final RunningStreams streams;
    private final Duration patience;
    private final DeskThreads calls;
    private final LongSupplier current;
    private final EventLog audit;
    private final AtomicBoolean paused = new AtomicBoolean();

    /**
     * What they need.
     *
     * @param updates who takes updates
     * @param versions who knows versions
     * @param calls threads that may block, closed by the caller
     * @param current the version that is served
     * @param audit where it is written down what administrators do
     */
    public record Desks(UpdatesDesk updates, VersionsDesk versions, DeskThreads calls, LongSupplier current, EventLog audit) {}

    /**
     * @param directories that files may be read from
     * @param patience how long a pause waits for streams to end
     */
    public TrainerEndpoints(Desks desks, RunningStreams streams, List<Path> directories, Duration patience) {
        this.updates = new TrainerUpdates(desks.updates, desks.versions, desks.current);
        this.files = new TrainerFiles(directories);
        this.streams = streams;
        this.patience = patience;
        this.calls = desks.calls;
        this.current = desks.current;
        this.audit = desks.audit;
    }

    @Override
    public List<Endpoint> endpoints(Loop loop) {
        if (loop.admin().isEmpty()) {
            return List.of();
        }
        Asked asked = new Asked(loop, loop.admin().get());
        List<Endpoint> endpoints = new ArrayList<>();
        Map<String, Consumer<Exchange>> posts = Map.of(
                "/pause", asked::pause, "/resume", asked::resume, "/init_weight_transfer_engine", asked::init,
                "/start_weight_update", asked::start, "/update_weights", asked::update, "/finish_weight_update", asked::finish,
                "/update_weight_version", asked::rename, "/update_weights_from_disk", asked::fromDisk,
                "/pause_generation", asked::pauseGeneration, "/continue_generation", asked::continueGeneration);
        posts.forEach((path, handler) -> endpoints.add(asked.endpoint(HttpMethod.POST, path, handler)));
        Map<String, Consumer<Exchange>> gets = Map.of(
                "/is_paused", asked::isPaused, "/weight_info", asked::weightInfo, "/get_weight_version", asked::weightInfo,
                "/get_world_size", asked::worldSize);
        gets.forEach((path, handler) -> endpoints.add(asked.endpoint(HttpMethod.GET, path, handler)));
        return endpoints;
    }

    /** What is asked on one event loop. */
    private final class Asked {
        private final Loop loop;
        private final AdminDoor door;
        private final Pause pause;
        private int underWay;

        Asked(Loop loop, AdminDoor door) {
            this.loop = loop;
            this.door = door;
            this.pause = new Pause(streams, patience, loop);
        }

        Endpoint endpoint(HttpMethod method, String path, Consumer<Exchange> handler) {
            return new Endpoint(method, path, door.auth(), () -> underWay < MAX_UNDER_WAY, handler);
        }

        private void fail(Exchange exchange, Throwable cause) {
            WeightAnswers.refuse(exchange, cause, current.getAsLong());
        }

        /** Has somebody answer who may block. */
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

        /** Work on a body. */
        private interface Reads<T> {
            T read(byte[] body) throws AdminException;
        }

        private <T> void withBody(Exchange exchange, Reads<T> work, BiConsumer<Exchange, T> answer) {
            exchange.body(loop.maxBodyBytes()).onComplete(came -> {
                if (came.failed()) {
                    fail(exchange, came.cause());
                    return;
                }
                Body body = came.result();
                byte[] bytes = body.bytes().getBytes();
                body.release();
                call(exchange, () -> work.read(bytes), answer);
            });
        }

        private void message(Exchange exchange, String message) {
            exchange.answer(OK, json -> json.writeStringField("message", message));
        }

        private EventLine line(Exchange exchange, String event, String outcome) {
            return EventLine.of(event).with("outcome", outcome).with(door.caller().apply(exchange.request()));
        }

        void pause(Exchange exchange) {
            String mode = exchange.request().getParam("mode");
            paused(exchange, mode == null ? "keep" : mode, false);
        }

        void pauseGeneration(Exchange exchange) {
            withBody(exchange, body -> TrainerBody.read(body, Set.of("mode")).text("mode", MAX_NAME_CHARS).orElse("keep"),
                    (to, mode) -> paused(to, mode.equals("retract") || mode.equals("in_place") ? "keep" : mode, true));
        }

        /** @param sglang in whose shape */
        private void paused(Exchange exchange, String word, boolean sglang) {
            Pause.Mode mode = Pause.Mode.of(word);
            if (mode == null) {
                fail(exchange, new AdminException(
                        AdminErrorCode.INVALID_VALUE, "mode must be keep, wait or abort: " + JsonAnswer.shown(word)));
                return;
            }
            pause.run(mode, exchange).onComplete(done -> {
                if (done.failed()) {
                    fail(exchange, done.cause());
                } else if (!exchange.response().closed()) {
                    paused.set(true);
                    audit.done(line(exchange, "trainer_pause", mode.word()).with("streams_ended", done.result().ended()));
                    exchange.answer(OK, json -> {
                        json.writeStringField("status", sglang ? "ok" : "paused");
                        if (sglang) {
                            json.writeStringField("message", "Generation paused successfully.");
                        }
                        done.result().writeTo(json);
                    });
                }
            });
        }

        void resume(Exchange exchange) {
            paused.set(false);
            exchange.answer(OK, json -> json.writeStringField("status", "resumed"));
        }

        void continueGeneration(Exchange exchange) {
            paused.set(false);
            exchange.answer(OK, json -> {
                json.writeStringField("message", "Generation continued successfully.");
                json.writeStringField("status", "ok");
            });
        }

        void isPaused(Exchange exchange) {
            exchange.answer(OK, json -> json.writeBooleanField("is_paused", paused.get()));
        }

        void worldSize(Exchange exchange) {
            exchange.answer(OK, json -> json.writeNumberField("world_size", 1));
        }

        void weightInfo(Exchange exchange) {
            call(exchange, updates::name, (to, name) -> to.answer(OK, json -> {
                json.writeStringField("weight_version", name);
                json.writeNumberField("weights_version", current.getAsLong());
            }));
        }

        void init(Exchange exchange) {
            withBody(exchange, body -> {
                requireBackend(TrainerBody.read(body, Set.of("init_info")).inner("init_info", Set.of("backend")));
                return true;
            }, (to, done) -> message(to, "Weight transfer initialized"));
        }

        private void requireBackend(TrainerBody info) throws AdminException {
            String backend = info.text("backend", MAX_NAME_CHARS).orElse(BACKEND);
            if (!backend.equals(BACKEND)) {
                throw new AdminException(AdminErrorCode.INVALID_VALUE, "%sbackend must be %s: %s"
                        .formatted(info.path(), BACKEND, JsonAnswer.shown(backend)));
            }
        }

        void start(Exchange exchange) {
            withBody(exchange, body -> {
                TrainerBody.read(body, Set.of("is_checkpoint_format"));
                String id = updates.start();
                audit.done(line(exchange, "update_open", "opened").withText("update_id", id).with("base_version", current.getAsLong()));
                return id;
            }, (to, id) -> to.answer(OK, json -> {
                json.writeStringField("message", "Weight update started");
                json.writeStringField("update_id", id);
                json.writeStringField("parts", "/admin/weights/updates/%s/parts/".formatted(id));
            }));
        }

        void update(Exchange exchange) {
            withBody(exchange, body -> {
                TrainerBody info = TrainerBody.read(body, Set.of("update_info")).inner("update_info", UPDATE_INFO);
                requireBackend(info);
                if (info.has("files") == info.has("names")) {
                    throw new AdminException(AdminErrorCode.INVALID_VALUE, "update_info must have files, or names and data, and not both");
                }
                if (info.has("names")) {
                    return updates.add(InlineTensors.file(
                            info.texts("names"), info.texts("dtype_names"), info.shapes("shapes"), info.base64("data")));
                }
                List<Path> found = new ArrayList<>();
                for (String path : info.texts("files")) {
                    found.addAll(files.files(path));
                }
                return updates.add(found);
            }, (to, parts) -> to.answer(OK, json -> {
                json.writeStringField("message", "Weights updated");
                json.writeNumberField("parts", parts);
            }));
        }

        private UpdatesDesk.Committed committed(Exchange exchange, Callable<UpdatesDesk.Committed> commit) throws AdminException {
            try {
                UpdatesDesk.Committed done = commit.call();
                audit.done(line(exchange, "update", "committed").withText("label", done.label()).with("tensors", done.changed().size())
                        .with("bytes", done.bytes()).with("version", done.version()));
                return done;
            } catch (AdminException e) {
                audit.refused("update_" + e.code().wireName(), () -> line(exchange, "update", "refused")
                        .with("code", e.code().wireName()).withText("message", e.getMessage()));
                throw e;
            } catch (Exception e) {
                throw new AdminException(AdminErrorCode.INTERNAL, "an update could not be committed", e);
            }
        }

        void finish(Exchange exchange) {
            withBody(exchange, body -> {
                String name = TrainerBody.read(body, Set.of("weight_version")).text("weight_version", MAX_NAME_CHARS).orElse("");
                return committed(exchange, () -> updates.finish(name));
            }, (to, done) -> to.answer(OK, json -> {
                json.writeStringField("message", "Weight update finished");
                json.writeNumberField("weights_version", done.version());
                json.writeNumberField("tensors", done.changed().size());
            }));
        }

        void rename(Exchange exchange) {
            withBody(exchange, body -> {
                String name = TrainerBody.read(body, Set.of("new_version")).text("new_version", MAX_NAME_CHARS)
                        .orElseThrow(() -> new AdminException(AdminErrorCode.MISSING_FIELD, "new_version is missing"));
                updates.name(name);
                return name;
            }, (to, name) -> to.answer(OK, json -> {
                json.writeBooleanField("success", true);
                json.writeStringField("new_version", name);
            }));
        }

        void fromDisk(Exchange exchange) {
            withBody(exchange, body -> {
                TrainerBody asked = TrainerBody.read(body, FROM_DISK);
                String path = asked.text("model_path", MAX_PATH_CHARS)
                        .orElseThrow(() -> new AdminException(AdminErrorCode.MISSING_FIELD, "model_path is missing"));
                String format = asked.text("load_format", MAX_NAME_CHARS).orElse("auto");
                if (!FORMATS.contains(format)) {
                    throw new AdminException(
                            AdminErrorCode.INVALID_VALUE, "load_format must be auto or safetensors: " + JsonAnswer.shown(format));
                }
                if (asked.isTrue("abort_all_requests")) {
                    streams.stop(streams.newest());
                }
                String name = asked.text("weight_version", MAX_NAME_CHARS).orElse("");
                return committed(exchange, () -> updates.push(files.files(path), name));
            }, (to, done) -> to.answer(OK, json -> {
                json.writeBooleanField("success", true);
                json.writeStringField("message", "Succeeded to update model weights: version %d, %d tensors."
                        .formatted(done.version(), done.changed().size()));
                json.writeNumberField("num_paused_requests", 0);
                json.writeNumberField("weights_version", done.version());
            }));
        }
    }
}

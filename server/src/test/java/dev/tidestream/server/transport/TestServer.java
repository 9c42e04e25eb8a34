package dev.tidestream.server.transport;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;

import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.chat.ChatTemplates;
import dev.tidestream.server.chat.ModelChat;
import dev.tidestream.server.chat.SpecialTokens;
import dev.tidestream.server.keys.ApiKeys;
import dev.tidestream.server.openai.AdapterNames;
import dev.tidestream.server.openai.Backend;
import dev.tidestream.server.openai.Fingerprints;
import dev.tidestream.server.openai.OpenAiEndpoints;
import dev.tidestream.server.openai.ServedModel;
import dev.tidestream.server.openai.lanes.LaneLimits;
import dev.tidestream.server.openai.lanes.ResponseLanes;
import dev.tidestream.server.openai.responses.MemoryResponses;
import dev.tidestream.server.openai.responses.ResponsesEndpoints;
import dev.tidestream.server.receipts.verify.VerifyEndpoints;
import dev.tidestream.server.resume.ResumableStreams;
import dev.tidestream.server.resume.ResumeLimits;
import dev.tidestream.server.transport.common.EventLoopClock;
import dev.tidestream.server.transport.common.VertxClock;
import dev.tidestream.server.transport.endpoint.EndpointFactory;

/** A server on a free port, with a scripted engine behind it. */
final class TestServer implements AutoCloseable {
    /** Longer than the grace period of a stop. */
    static final int PATIENCE_S = 90;
    static final TransportConfig CONFIG = new TransportConfig(
            "127.0.0.1", 0, 4096, 16384, 100_000_000, 16, 16, 64 << 10, 32, 16,
            Duration.ofSeconds(20), Duration.ofSeconds(60), Duration.ofSeconds(60));

    private static final String TEMPLATE = """
            {%- for tool in tools or [] %}[{{ tool.function.name }}]{% endfor %}
            {%- for message in messages %}
                {%- if message.role in ['fail', 'function'] %}{{ raise_exception('no role of that name') }}{% endif %}
                {%- if message.role == 'odd' %}{{ message.content + 1 }}{% endif %}
                {%- if message.role != 'user' %}{{ message.role }}:{% endif %}{{ message.content }}
            {%- endfor %}
            {%- if loud %}!{% endif %}{% if more %}{% if add_generation_prompt %}>{% endif %}{% endif %}""";
    private static final ServedModel MODEL = new ServedModel("m/1", 1_795_000_000, 512, 256, OptionalLong.of(5_800_000), 7, "packed");
    private static final Fingerprints FINGERPRINTS = new Fingerprints() {
        @Override
        public CompletableFuture<?> ready() {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public String of(long weightsVersion, String headMode) {
            return "ts_" + weightsVersion;
        }
    };

    final ScriptedEngine engine = new ScriptedEngine();
    final AtomicReference<Readiness> readiness = new AtomicReference<>(Readiness.READY);
    private final Vertx vertx = Vertx.vertx();
    private final ServerVerticle verticle;
    private final String deployment;
    private boolean stopped;

    TestServer() throws Exception {
        this(CONFIG);
    }

    TestServer(TransportConfig config) throws Exception {
        this(config, context -> new VertxClock(context.owner()));
    }

    /** @param clock the time of connections, a {@link ManualClock} say */
    TestServer(TransportConfig config, Function<Context, EventLoopClock> clock) throws Exception {
        this(config, clock, LaneLimits.DEFAULT);
    }

    TestServer(TransportConfig config, Function<Context, EventLoopClock> clock, LaneLimits lanes) throws Exception {
        this(config, clock, lanes, ApiKeys.notRequired(), ResumeLimits.DEFAULT);
    }

    /** One where streams can be resumed, too. */
    TestServer(ApiKeys keys) throws Exception {
        this(keys, ResumeLimits.DEFAULT);
    }

    TestServer(ApiKeys keys, ResumeLimits resume) throws Exception {
        this(CONFIG, context -> new VertxClock(context.owner()), LaneLimits.DEFAULT, keys, resume);
    }

    private TestServer(TransportConfig config, Function<Context, EventLoopClock> clock, LaneLimits lanes, ApiKeys keys, ResumeLimits resume)
            throws Exception {
        Backend backend = backend(engine);
        MemoryResponses stored = new MemoryResponses(3, 1 << 20);
        verticle = new ServerVerticle(config, engine, readiness::get, null, clock).requiring(keys)
                .serving(EndpointFactory.all(List.of(new OpenAiEndpoints(backend), new ResponsesEndpoints(backend, stored),
                        new VerifyEndpoints(backend, ReceiptFixture.KEYS, ReceiptFixture.TRUSTED, ReceiptFixture.CONTENT, 1,
                                Duration.ofMinutes(5)))))
                .serving(new WebSocketWire(ResponseLanes.PATH, ResponseLanes.SUBPROTOCOL,
                        new ResponseLanes(backend, stored, lanes)::session));
        if (keys.required()) {
            verticle.resuming(new ResumableStreams(engine, resume, System::nanoTime));
        }
        deployment = vertx.deployVerticle(verticle).await(PATIENCE_S, TimeUnit.SECONDS);
    }

    /** Its template writes roles that are not asked, and what is said; no role may be {@code fail}. */
    private static Backend backend(ScriptedEngine engine) {
        FakeTokenizer tokenizer = new FakeTokenizer();
        ChatTemplates templates = new ChatTemplates(Map.of(ChatTemplates.DEFAULT, TEMPLATE));
        ModelChat chat = new ModelChat(templates, SpecialTokens.of(Optional.empty(), Optional.empty()), tokenizer, Clock.systemUTC());
        return new Backend(engine, tokenizer, chat, () -> MODEL, FINGERPRINTS, AdapterNames.NONE,
                prompt -> Math.clamp(MODEL.contextLength() - prompt, 1, 64));
    }

    TransportStats stats() {
        return verticle.stats();
    }

    int port() {
        return verticle.actualPort();
    }

    ServerVerticle verticle() {
        return verticle;
    }

    TestClient client() {
        return new TestClient(port());
    }

    HttpResponse<String> http(String method, String path, String... headers) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + path))
                    .method(method, HttpRequest.BodyPublishers.noBody());
            if (headers.length > 0) {
                request.headers(headers);
            }
            return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    /** Completes when the verticle has stopped. */
    Future<Void> stop() {
        stopped = true;
        return vertx.undeploy(deployment);
    }

    @Override
    public void close() throws TimeoutException {
        if (!stopped) {
            stop().await(PATIENCE_S, TimeUnit.SECONDS);
        }
        vertx.close().await(PATIENCE_S, TimeUnit.SECONDS);
        engine.close();
    }
}

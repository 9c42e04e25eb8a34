package dev.tidestream.server.app;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import org.jspecify.annotations.Nullable;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.nd4j.Nd4jLowRankProduct;
import dev.tidestream.model.patch.LowRankProduct;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.server.adapters.AdapterRefusedException;
import dev.tidestream.server.admin.build.MemoryBudget;
import dev.tidestream.server.admin.channel.AdminVerticle;
import dev.tidestream.server.admin.service.AdapterDesk;
import dev.tidestream.server.admin.service.AdminService;
import dev.tidestream.server.admin.store.VersionAgreement;
import dev.tidestream.server.console.ConsoleEndpoints;
import dev.tidestream.server.keys.ApiKeys;
import dev.tidestream.server.keys.KeyFileWatch;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.AdminAccess;
import dev.tidestream.server.transport.Readiness;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.TransportConfig;
import dev.tidestream.server.transport.TransportStats;
import dev.tidestream.server.warmup.BackgroundWarmUp;
import dev.tidestream.server.weights.DeskThreads;
import dev.tidestream.server.weights.WeightEndpoints;

/**
 * A server in this process: a model, and the WebSockets that its tokens go over. Parts start in order, and end in the opposite
 * one.
 *
 * <pre>{@code
 * try (TidestreamServer server = TidestreamServer.start(ServerConfig.DEFAULT.withPort(0))) {
 *     …  server.streamUrl()
 * }
 * }</pre>
 *
 * Where kernels are not generated, the JVM needs {@code --add-modules jdk.incubator.vector}. Any thread may ask, one starts and
 * closes.
 */
public final class TidestreamServer implements AutoCloseable {
    private static final Duration TRIM_INTERVAL = Duration.ofSeconds(3);
    private static final long TRIM_WORTH_BYTES = 16 << 20;

    private final Preconditions met;
    private final ServerLife life;
    private volatile TransportConfig transport;
    private final VersionStore store;
    private final ModelRuntime running;
    private final MetricsWiring metrics;
    private final ResumeWiring resume;
    private final StreamLog streamLog;
    private final OpenAiWiring openAi;
    private final BackgroundWarmUp backgroundWarmUp;
    private final DeskThreads weights;
    private final ServerVerticle verticle;
    private final LiveFiles files = new LiveFiles();
    private final Vertx vertx;
    private final AtomicReference<Readiness> state = new AtomicReference<>(Readiness.STARTING);
    private final AtomicBoolean closed = new AtomicBoolean();
    private @Nullable IdleHeapTrim trim;

    private TidestreamServer(
            ServerConfig config,
            Preconditions met,
            ServerLife life,
            MemoryBudget budget,
            LowRankProduct product,
            VersionStore store,
            ModelRuntime running,
            Vertx vertx) {
        this.met = met;
        this.life = life;
        this.store = store;
        this.running = running;
        this.vertx = vertx;
        transport = config.transport();
        boolean listening = false;
        Deque<Runnable> closings = new ArrayDeque<>(); // of what was made, the last first
        try {
            streamLog = new StreamLog(config.otlpEndpoint(), () -> running.blueprint().name());
            closings.push(streamLog::close);
            openAi = new OpenAiWiring(config, running, store, running.chat());
            closings.push(openAi::close);
            resume = new ResumeWiring(running, openAi::receiptsReady, config.resume(), config.updates().dataDir());
            closings.push(resume::close);
            metrics = new MetricsWiring(running);
            closings.push(metrics::close);
            EventLog audit = EventLog.of(EventLog.AUDIT);
            AdminService service =
                    new AdminWiring(running, config.updates(), metrics).service(store, budget, product, VersionAgreement.ALONE, met.updateDirectory());
            backgroundWarmUp = running.backgroundWarmUp(service::warmUp);
            AdminVerticle desk = new AdminVerticle(new AdapterDesk(service, running.adapters(), running::weightsVersion), audit);
            AdminAccess access = met.access(audit, metrics::tokenRefused);
            verticle = new ServerVerticle(
                    transport,
                    running.engine(),
                    () -> running.engine().failed() ? Readiness.FAILED : state.get(),
                    access).showing(metrics.page()).requiring(keys(config)).resuming(resume.streams());
            openAi.serve(verticle);
            if (transport.access().console()) {
                verticle.serving(new ConsoleEndpoints());
            }
            weights = new DeskThreads();
            closings.push(weights::close);
            service.updates().ifPresent(updates -> verticle.serving(
                    new WeightEndpoints(updates, service.versions(), weights, running::weightsVersion, audit)));
            metrics.observe(verticle::stats);
            life.limits("transport", transport);
            life.limits("lanes", config.chats().lanes());
            life.limits("receipts", config.receipts());
            life.limits("responses_on_disk", config.chats().disk());
            await(vertx.deployVerticle(desk).compose(deployed -> vertx.deployVerticle(verticle)));
            if (transport.tls() != null) {
                files.watchTls(transport.tls(), verticle);
            }
            if (config.updates().tokenFile() != null) {
                files.watchToken(config.updates().tokenFile(), access);
            }
            listening = true;
        } finally {
            if (!listening) {
                files.close();
                vertx.close().toCompletionStage().toCompletableFuture().join();
                closings.forEach(Runnable::run);
            }
        }
    }

    private ApiKeys keys(ServerConfig config) {
        KeyFileWatch watch = met.keys();
        if (watch == null) {
            return ApiKeys.notRequired();
        }
        metrics.observe(watch.keys(), config.transport().access().keyMetrics());
        files.watchKeys(watch);
        return watch.keys();
    }

    /** Nothing is served from files: no cache of them, which would be a directory that a killed server leaves behind. */
    private static Vertx vertx() {
        return Vertx.vertx(new VertxOptions().setFileSystemOptions(
                new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false)));
    }

    /**
     * Loads the model, listens, and warms up: returns when clients are served.
     *
     * @return to be closed by the caller
     * @throws ServerException if the configuration is of no use, with the reason; everything is closed again then
     * @throws UncheckedIOException if the model file cannot be read
     */
    public static TidestreamServer start(ServerConfig config) {
        TidestreamServer server;
        try {
            server = listen(config, StartListener.NONE);
        } catch (GgufException | ModelException | TokenizerException e) {
            throw new ServerException(ServerException.Reason.MODEL, String.valueOf(e.getMessage()), e);
        }
        boolean warm = false;
        try {
            server.warmUp();
            warm = true;
            return server;
        } finally {
            if (!warm) {
                server.close();
            }
        }
    }

    /**
     * Loads, and listens; not ready before {@link #warmUp}.
     *
     * @param listener told of the loading
     * @throws ServerException if the configuration is of no use, with the reason; everything is closed again then
     * @throws GgufException if the model file is none
     * @throws ModelException if it is no model that can be run
     * @throws TokenizerException if its tokenizer is none that is known
     * @throws UncheckedIOException if the model file cannot be read
     */
    public static TidestreamServer listen(ServerConfig config, StartListener listener) {
        Preconditions met = Preconditions.check(config);
        ServerLife life = new ServerLife(Clock.system(ZoneId.systemDefault()));
        life.starting();
        life.warnOf(KernelSelection.warning());
        MemoryBudget budget = config.budget();
        LowRankProduct product = new Nd4jLowRankProduct();
        VersionStore store = new VersionStore(config.updates(), budget, product, listener);
        CompletableFuture<Vertx> vertx = CompletableFuture.supplyAsync( // loads classes for half a second, beside the model
                TidestreamServer::vertx, task -> Thread.ofPlatform().name("tidestream-start").start(task));
        ModelRuntime running = null;
        boolean started = false;
        try {
            running = ModelRuntime.start(config, store, listener);
            loadAdapters(config.adapters(), running);
            say(life, config, budget, running, store);
            TidestreamServer server = new TidestreamServer(config, met, life, budget, product, store, running, vertx.join());
            started = true;
            return server;
        } finally {
            if (!started) {
                vertx.thenCompose(made -> made.close().toCompletionStage()).join(); // again does nothing
                if (running != null) {
                    running.close();
                }
                store.close();
            }
        }
    }

    private static void loadAdapters(ServerConfig.Adapters config, ModelRuntime running) {
        try {
            config.atStart().forEach(running.adapters()::load);
        } catch (AdapterRefusedException e) {
            throw new ServerException(ServerException.Reason.ADAPTER, String.valueOf(e.getMessage()), e);
        }
    }

    private static void say(ServerLife life, ServerConfig config, MemoryBudget budget, ModelRuntime running, VersionStore store) {
        ServerConfig.Updates updates = config.updates();
        life.loaded(running);
        life.dataDirectory(updates.dataDir(), store.log());
        life.limits("engine", config.engine());
        life.limits("memory", budget);
        life.limits("live_versions", updates.live());
        life.limits("adapters", config.adapters().limits());
        life.limits("data_dir", updates.kept());
        life.limits("checkpoints", updates.checkpoints());
        life.limits("admin_tokens", updates.wrongTokens());
    }

    /**
     * Compiles the kernels, then says that it is ready, and begins to measure; what is left to compile is, while nobody streams.
     *
     * @throws ServerException if the model makes no token
     */
    public void warmUp() {
        running.warmUp();
        running.beginMeasuring();
        running.onStreamEnd(streamLog::ended);
        if (state.compareAndSet(Readiness.STARTING, Readiness.READY)) {
            backgroundWarmUp.start();
        }
        life.ready(streamUrl());
    }

    /**
     * Gives memory of the heap back while nobody streams, until the server is closed: for a process that does nothing else, since
     * its collector runs for that.
     */
    public void trimHeapWhileIdle() {
        trim = OldGeneration.ofThisJvm().map(this::trimWhileIdle).orElse(null);
    }

    private IdleHeapTrim trimWhileIdle(OldGeneration old) {
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("tidestream-heap-trim").daemon().factory());
        return new IdleHeapTrim(() -> running.stats().running() + running.stats().queued() == 0, old, TRIM_WORTH_BYTES, TRIM_INTERVAL,
                timer);
    }

    /** Where clients stream: {@code ws://HOST:PORT/v1/stream}. */
    public String streamUrl() {
        return address() + Protocol.PATH;
    }

    /** Where administrators come in. */
    public String adminUrl() {
        return address() + AdminProtocol.PATH;
    }

    /**
     * Where HTTP is answered, {@code http://HOST:PORT}; of a server that listens on every address, that of this machine; empty for one
     * that listens on a Unix-domain socket alone.
     */
    public Optional<String> httpUrl() {
        return port() < 0 ? Optional.empty() : Optional.of((transport.tls() == null ? "http://" : "https://")
                + ListenAddress.of(transport).withPort(port()).reachable());
    }

    private String address() {
        return met.address().withPort(port()).url(transport.tls() != null);
    }

    /** The administrators' token, if it was made up for this run. */
    public Optional<String> madeUpToken() {
        return met.tokenMadeUp() ? Optional.of(met.token()) : Optional.empty();
    }

    /** Where it listens; -1 if on a Unix-domain socket alone. */
    public int port() {
        return verticle.actualPort();
    }

    /**
     * Takes what a running server can take of a configuration ({@link TransportConfig#withHotPartsOf}, and what the engine takes); the
     * rest needs a restart. Any thread but an event loop; returns when it is in force.
     */
    public void reconfigure(ServerConfig newer) {
        verticle.reconfigure(newer.transport()).toCompletionStage().toCompletableFuture().join();
        transport = transport.withHotPartsOf(newer.transport());
        running.engine().reconfigure(newer.engine());
    }

    /** Calls back, on a thread of this server, when one of these files has changed. */
    public void watch(List<Path> changing, Runnable changed) {
        files.watch(changing, changed);
    }

    /** Whether there are files that it takes anew when they change: with TLS, a token file, or what is watched. */
    public boolean takesFilesAnew() {
        return files.any();
    }

    /** Takes all these files anew, whether they have changed or not. Any thread; returns at once. */
    public void reloadFiles() {
        files.reloadAll();
    }

    /** The model that is served; closed with the server. */
    public ModelRuntime running() {
        return running;
    }

    /** What connections hold, and what was refused. Any thread. */
    public TransportStats transportStats() {
        return verticle.stats();
    }

    private void await(Future<?> future) {
        try {
            future.toCompletionStage().toCompletableFuture().get();
        } catch (ExecutionException e) {
            throw met.address().refusal(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServerException(ServerException.Reason.INTERRUPTED, "interrupted before it could listen on " + met.address(), e);
        }
    }

    /** It is going to be closed; readiness says so. Any thread. */
    public void stopping() {
        state.set(Readiness.STOPPING);
        backgroundWarmUp.giveUp();
    }

    /**
     * Running streams have their grace period; then everything ends: threads, ports, memory, files. A second call does nothing.
     *
     * @throws ServerException if a part could not be closed
     */
    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        stopping();
        long startNs = System.nanoTime();
        life.stopping(running.stats().running(), running.stats().queued(), transport.shutdownGrace());
        try (backgroundWarmUp; files) {
            life.awaitClosed(vertx.close().toCompletionStage().toCompletableFuture(), startNs, running::stats);
        } finally {
            if (trim != null) {
                trim.close();
            }
            try (store; streamLog; resume; running; weights) { // closed from the last to the first, whatever one of them throws
                metrics.close();
                openAi.close();
            } finally {
                life.stopped(Duration.ofNanos(System.nanoTime() - startNs));
            }
        }
    }
}

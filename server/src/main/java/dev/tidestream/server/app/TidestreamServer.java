package dev.tidestream.server.app;

import java.time.Clock;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;

import io.vertx.core.Vertx;
import org.jspecify.annotations.Nullable;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.nd4j.Nd4jLowRankProduct;
import dev.tidestream.model.patch.LowRankProduct;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.server.adapters.AdapterRefusedException;
import dev.tidestream.server.admin.build.MemoryBudget;
import dev.tidestream.server.admin.channel.AdminVerticle;
import dev.tidestream.server.admin.service.AdminService;
import dev.tidestream.server.app.memory.IdleHeapTrim;
import dev.tidestream.server.app.memory.OldGeneration;
import dev.tidestream.server.cluster.follow.NodeLog;
import dev.tidestream.server.cluster.node.ClusterNode;
import dev.tidestream.server.console.ConsoleEndpoints;
import dev.tidestream.server.console.docs.DocsEndpoints;
import dev.tidestream.server.keys.ApiKeys;
import dev.tidestream.server.keys.KeyFileWatch;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.AdminAccess;
import dev.tidestream.server.transport.Readiness;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.warmup.BackgroundWarmUp;
import dev.tidestream.server.weights.DeskThreads;

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
public final class TidestreamServer extends RunningServer {
    private static final Duration TRIM_INTERVAL = Duration.ofSeconds(3);
    private static final long TRIM_WORTH_BYTES = 16 << 20;

    private final VersionStore store;
    private final ModelRuntime running;
    private final MetricsWiring metrics;
    private final ResumeWiring resume;
    private final StreamLog streamLog;
    private final OpenAiWiring openAi;
    private final BackgroundWarmUp backgroundWarmUp;
    private final DeskThreads weights;
    private final ServerVerticle verticle;
    private final @Nullable NodeLog log;
    private final @Nullable ClusterNode cluster;
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
        super(config, met, life, vertx);
        this.store = store;
        this.running = running;
        boolean listening = false;
        Deque<Runnable> closings = new ArrayDeque<>(); // of what was made, the last first
        try {
            streamLog = new StreamLog(config.otlpEndpoint(), () -> running.blueprint().name());
            closings.push(streamLog::close);
            log = ClusterWiring.log(config);
            if (log != null) {
                closings.push(log::close);
            }
            cluster = ClusterWiring.join(config, running, log);
            if (cluster != null) {
                closings.push(cluster::close);
            }
            Served served = Served.of(running, cluster == null ? running.engine() : cluster.engine());
            openAi = new OpenAiWiring(config, served, store.log());
            closings.push(openAi::close);
            resume = new ResumeWiring(served, openAi::receiptsReady, config.resume(), config.updates().dataDir());
            closings.push(resume::close);
            metrics = new MetricsWiring(running);
            closings.push(metrics::close);
            EventLog audit = EventLog.of(EventLog.AUDIT);
            AdminWiring admin = new AdminWiring(running, config.updates(), metrics);
            AdminService service =
                    admin.service(store, budget, product, ClusterWiring.agreement(config, log), met.updateDirectory());
            if (log != null) {
                log.follow(service.agreed().orElseThrow());
            }
            backgroundWarmUp = running.backgroundWarmUp(service::warmUp);
            AdminVerticle desk = new AdminVerticle(admin.channel(service), audit);
            AdminAccess access = met.access(audit, metrics::tokenRefused);
            verticle = new ServerVerticle(
                    transport,
                    served.engine(),
                    () -> running.engine().failed() || NodeLog.diverged(log) ? Readiness.FAILED : state.get(),
                    access).showing(metrics.page()).requiring(keys(config)).resuming(resume.streams());
            openAi.serve(verticle);
            if (cluster != null) {
                ClusterWiring.serve(cluster, verticle, metrics);
            }
            if (transport.access().console()) {
                verticle.serving(new ConsoleEndpoints()).serving(new DocsEndpoints());
            }
            weights = new DeskThreads();
            closings.push(weights::close);
            admin.weights(service, weights, audit).forEach(verticle::serving);
            metrics.observe(verticle::stats);
            life.limits("transport", transport);
            life.limits("lanes", config.chats().lanes());
            life.limits("receipts", config.receipts());
            life.limits("responses_on_disk", config.chats().disk());
            await(vertx.deployVerticle(desk).compose(deployed -> vertx.deployVerticle(verticle)));
            watchFiles(config, access);
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
                RunningServer::vertx, task -> Thread.ofPlatform().name("tidestream-start").start(task));
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
        life.limits("memory", budget.limits());
        life.limits("live_versions", updates.live());
        life.limits("adapters", config.adapters().limits());
        life.limits("data_dir", updates.kept());
        life.limits("checkpoints", updates.checkpoints());
        life.limits("admin_tokens", updates.wrongTokens());
    }

    @Override
    public void warmUp() {
        running.warmUp();
        running.beginMeasuring();
        running.onStreamEnd(streamLog::ended);
        if (state.compareAndSet(Readiness.STARTING, Readiness.READY)) {
            backgroundWarmUp.start();
        }
        if (cluster != null) {
            cluster.ready(httpUrl().orElse(""));
        }
        life.ready(streamUrl());
    }

    @Override
    public void trimHeapWhileIdle() {
        trim = OldGeneration.ofThisJvm().map(this::trimWhileIdle).orElse(null);
    }

    private IdleHeapTrim trimWhileIdle(OldGeneration old) {
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("tidestream-heap-trim").daemon().factory());
        return new IdleHeapTrim(() -> running.stats().running() + running.stats().queued() == 0, old, TRIM_WORTH_BYTES, TRIM_INTERVAL,
                timer);
    }

    @Override
    public void reconfigure(ServerConfig newer) {
        super.reconfigure(newer);
        running.engine().reconfigure(newer.engine());
    }

    @Override
    ServerVerticle verticle() {
        return verticle;
    }

    /** The model that is served; closed with the server. */
    public ModelRuntime running() {
        return running;
    }

    @Override
    public void stopping() {
        super.stopping();
        backgroundWarmUp.giveUp();
        if (cluster != null) {
            cluster.draining();
        }
    }

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
            try (store; streamLog; resume; running; weights; log; cluster) { // closed from the last to the first, whatever one of them throws
                metrics.close();
                openAi.close();
            } finally {
                life.stopped(Duration.ofNanos(System.nanoTime() - startNs));
            }
        }
    }
}

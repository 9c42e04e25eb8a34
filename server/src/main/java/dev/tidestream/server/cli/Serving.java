package dev.tidestream.server.cli;

import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.nd4j.Nd4jLowRankProduct;
import dev.tidestream.model.tensor.LowRankProduct;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.server.admin.AdminService;
import dev.tidestream.server.admin.AdminVerticle;
import dev.tidestream.server.admin.MemoryBudget;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.transport.Readiness;
import dev.tidestream.server.transport.ServedModel;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.TransportConfig;

/** A server that listens: all that {@code serve} starts, in order, and ends in the opposite one. */
final class Serving implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Serving.class);

    private final ServeOptions options;
    private final VersionStore store;
    private final RunningModel running;
    private final ServerMetrics metrics;
    private final AdminServing admin;
    private final Rehearsal rehearsal;
    private final ServerVerticle verticle;
    private final Vertx vertx;
    private final AtomicReference<Readiness> state = new AtomicReference<>(Readiness.STARTING);

    private Serving(
            ServeOptions options,
            MemoryBudget budget,
            LowRankProduct product,
            VersionStore store,
            RunningModel running,
            Vertx vertx) {
        this.options = options;
        this.store = store;
        this.running = running;
        this.vertx = vertx;
        metrics = new ServerMetrics(running);
        boolean listening = false;
        try {
            admin = new AdminServing(running, options.live, metrics);
            AdminService service = admin.service(store, budget, product);
            rehearsal = new Rehearsal(running, service);
            AdminVerticle desk = new AdminVerticle(service);
            verticle = new ServerVerticle(
                    options.network.applyTo(TransportConfig.DEFAULT
                            .withAddress(options.host, options.port())
                            .withMaxConnections(options.maxConnections())),
                    running.engine(),
                    () -> running.engine().failed() ? Readiness.FAILED : state.get(),
                    () -> List.of(served()),
                    admin.access()).showing(metrics.page());
            metrics.observe(verticle::stats);
            await(vertx.deployVerticle(desk).compose(deployed -> vertx.deployVerticle(verticle)));
            listening = true;
        } finally {
            if (!listening) {
                await(vertx.close());
                metrics.close();
            }
        }
    }

    /** Nothing is served from files: no cache of them, which would be a directory that a killed server leaves behind. */
    private static Vertx vertx() {
        return Vertx.vertx(new VertxOptions().setFileSystemOptions(
                new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false)));
    }

    /**
     * Loads, and listens; not ready yet.
     *
     * @throws CliException if the options are of no use together
     */
    static Serving start(ServeOptions options) {
        EngineConfig engine = EngineConfig.DEFAULT
                .withMaxSequences(options.maxSequences())
                .withKvMemoryBytes(options.kvMemory.bytes());
        MemoryBudget budget = options.live.budget(options.kvMemory.bytes());
        LowRankProduct product = new Nd4jLowRankProduct();
        VersionStore store = new VersionStore(options.live, budget, product);
        CompletableFuture<Vertx> vertx = CompletableFuture.supplyAsync( // loads classes for half a second, beside the model
                Serving::vertx, task -> Thread.ofPlatform().name("tidestream-start").start(task));
        RunningModel running = null;
        boolean started = false;
        try {
            running = RunningModel.start(options.model, options.compute, engine, store);
            log.info("loaded: model={}, since_start_ms={}", running.config().name(), sinceStartMs());
            Serving serving = new Serving(options, budget, product, store, running, vertx.join());
            started = true;
            return serving;
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

    /**
     * Compiles the kernels, then says that it is ready, and begins to measure; what is left to compile is, while nobody streams.
     */
    void warmUp() {
        WarmUp.run(running);
        running.beginMeasuring();
        if (state.compareAndSet(Readiness.STARTING, Readiness.READY)) {
            rehearsal.start();
        }
        log.info("warm: since_start_ms={}", sinceStartMs());
    }

    /** Since the JVM was started. */
    private static long sinceStartMs() {
        return System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime();
    }

    /** Where it listens, and how administrators get in. */
    void announce(PrintWriter out) {
        String host = options.host.contains(":") ? "[" + options.host + "]" : options.host;
        String address = "ws://%s:%d".formatted(host, port());
        admin.announce(out, address + AdminProtocol.PATH);
        out.printf("%s: ready on %s%s (%s)%n", running.config().name(), address, Protocol.PATH, options.compute);
        out.flush();
    }

    int port() {
        return verticle.actualPort();
    }

    RunningModel running() {
        return running;
    }

    private ServedModel served() {
        return new ServedModel(
                running.config().name(),
                running.config().contextLength(),
                running.config().vocabularySize(),
                OptionalLong.of(running.parameters()),
                running.weightsVersion());
    }

    private void await(Future<?> future) {
        try {
            future.toCompletionStage().toCompletableFuture().get();
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new CliException("cannot serve on %s:%d: %s".formatted(options.host, options.port(), cause.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** It is going to be closed; readiness says so. Any thread. */
    void stopping() {
        state.set(Readiness.STOPPING);
        rehearsal.giveUp();
    }

    /** Running streams have their grace period; then everything ends. */
    @Override
    public void close() {
        stopping();
        try (rehearsal) {
            await(vertx.close());
        } finally {
            metrics.close();
            running.close();
            store.close();
        }
        log.info("stopped");
    }
}

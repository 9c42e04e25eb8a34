package dev.tidestream.server.cli;

import java.io.PrintWriter;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;

import dev.tidestream.model.nd4j.Nd4jLowRankProduct;
import dev.tidestream.model.patch.LowRankProduct;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.server.admin.build.MemoryBudget;
import dev.tidestream.server.admin.channel.AdminVerticle;
import dev.tidestream.server.admin.service.AdminService;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.Readiness;
import dev.tidestream.server.transport.ServedModel;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.TransportConfig;

/** A server that listens: all that {@code serve} starts, in order, and ends in the opposite one. */
final class Serving implements AutoCloseable {
    private static final Duration SAY_AGAIN = Duration.ofSeconds(2);

    private final ServeOptions options;
    private final ServePreconditions met;
    private final ServerLife life;
    private final TransportConfig transport;
    private final VersionStore store;
    private final RunningModel running;
    private final ServerMetrics metrics;
    private final Rehearsal rehearsal;
    private final ServerVerticle verticle;
    private final Vertx vertx;
    private final AtomicReference<Readiness> state = new AtomicReference<>(Readiness.STARTING);

    private Serving(
            ServeOptions options,
            ServePreconditions met,
            ServerLife life,
            MemoryBudget budget,
            LowRankProduct product,
            VersionStore store,
            RunningModel running,
            Vertx vertx) {
        this.options = options;
        this.met = met;
        this.life = life;
        this.store = store;
        this.running = running;
        this.vertx = vertx;
        transport = options.network.applyTo(TransportConfig.DEFAULT
                .withAddress(met.address().host(), met.address().port()).withMaxConnections(options.maxConnections())
                .withMaxStreams(options.limits.maxStreams()));
        metrics = new ServerMetrics(running);
        boolean listening = false;
        try {
            EventLog audit = EventLog.of(EventLog.AUDIT);
            AdminService service = new AdminServing(running, options.live, metrics).service(store, budget, product, met.updateDirectory());
            rehearsal = new Rehearsal(running, service);
            AdminVerticle desk = new AdminVerticle(service, audit);
            verticle = new ServerVerticle(
                    transport,
                    running.engine(),
                    () -> running.engine().failed() ? Readiness.FAILED : state.get(),
                    () -> List.of(served()),
                    met.access(audit, metrics::tokenRefused)).showing(metrics.page());
            metrics.observe(verticle::stats);
            life.limits("transport", transport);
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
     * @throws CliException if the options are of no use together, or something that they name is of none
     */
    static Serving start(ServeOptions options) {
        ServePreconditions met = ServePreconditions.check(options);
        ServerLife life = new ServerLife(Clock.system(ZoneId.systemDefault()));
        life.starting();
        EngineConfig engine = options.limits.applyTo(EngineConfig.DEFAULT)
                .withMaxSequences(options.maxSequences())
                .withKvMemoryBytes(options.kvMemory.bytes());
        MemoryBudget budget = options.live.budget(options.kvMemory.bytes());
        LowRankProduct product = new Nd4jLowRankProduct();
        VersionStore store = new VersionStore(options.live, budget, product, options.spec.commandLine().getErr());
        CompletableFuture<Vertx> vertx = CompletableFuture.supplyAsync( // loads classes for half a second, beside the model
                Serving::vertx, task -> Thread.ofPlatform().name("tidestream-start").start(task));
        RunningModel running = null;
        boolean started = false;
        try {
            running = RunningModel.start(options.model, options.compute, engine, store);
            life.loaded(running, options.compute);
            life.dataDirectory(options.live.dataDir, store.log());
            life.limits("engine", engine);
            life.limits("memory", budget);
            life.limits("live_versions", options.live.versionLimit());
            life.limits("data_dir", options.live.logLimits());
            life.limits("checkpoints", options.live.checkpointPolicy());
            life.limits("admin_tokens", met.tokenLimit());
            Serving serving = new Serving(options, met, life, budget, product, store, running, vertx.join());
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
        life.ready("ws://" + new ListenAddress(options.host, port()) + Protocol.PATH);
    }

    /**
     * Where it listens, and how administrators get in; at once, for a reader who leaves after the first line. Programs look for the
     * address here, so nothing that a file says is beside it: what the model calls itself is in the log.
     */
    void announce(PrintWriter out) {
        String address = "ws://" + new ListenAddress(options.host, port());
        out.print(met.announcement(address + AdminProtocol.PATH)
                + "tidestream: ready on %s%s (%s)%n".formatted(address, Protocol.PATH, options.compute));
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
                running.blueprint().name(),
                running.blueprint().contextLength(),
                running.engine().vocabularySize(),
                OptionalLong.of(running.parameters()),
                running.weightsVersion());
    }

    private void await(Future<?> future) {
        try {
            future.toCompletionStage().toCompletableFuture().get();
        } catch (ExecutionException e) {
            throw met.address().refusal(e.getCause());
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
        long startNs = System.nanoTime();
        life.stopping(running.stats().running(), running.stats().queued(), transport.shutdownGrace());
        try (rehearsal) {
            awaitClosed(vertx.close().toCompletionStage().toCompletableFuture(), startNs);
        } finally {
            metrics.close();
            running.close();
            store.close();
            life.stopped(Duration.ofNanos(System.nanoTime() - startNs));
        }
    }

    private void awaitClosed(CompletableFuture<?> closed, long startNs) {
        boolean interrupted = false;
        while (!closed.isDone()) {
            try {
                closed.get(SAY_AGAIN.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                life.stillStopping(running.stats().running(), running.stats().queued(), Duration.ofNanos(System.nanoTime() - startNs));
            } catch (ExecutionException e) {
                throw new CliException("the server could not be closed: " + e.getCause(), e);
            } catch (InterruptedException e) {
                interrupted = true;
                break;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

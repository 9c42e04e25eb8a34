package dev.tidestream.server.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import picocli.CommandLine.Command;

import dev.tidestream.model.nd4j.Nd4jLowRankProduct;
import dev.tidestream.model.tensor.LowRankProduct;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.server.admin.AdminVerticle;
import dev.tidestream.server.admin.MemoryBudget;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.transport.ServedModel;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.TransportConfig;

/** {@code serve}: the server, until it is told to stop. */
@Command(name = "serve") // picocli wants the name of a subcommand on its own class; the rest is inherited
final class ServeCommand extends ServeOptions implements Callable<Integer> {
    private final AtomicBoolean ready = new AtomicBoolean();
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);

    @Override
    public Integer call() throws InterruptedException {
        EngineConfig engineConfig =
                EngineConfig.DEFAULT.withMaxSequences(maxSequences()).withKvMemoryBytes(kvMemory.bytes());
        MemoryBudget budget = live.budget(kvMemory.bytes());
        LowRankProduct product = new Nd4jLowRankProduct();
        try (VersionStore store = new VersionStore(live, budget, product);
                RunningModel running = RunningModel.start(model, compute, engineConfig, store);
                ServerMetrics metrics = new ServerMetrics(running)) {
            AdminServing admin = new AdminServing(running, live, metrics);
            serve(running, admin, new AdminVerticle(admin.service(store, budget, product)), metrics);
        } finally {
            ended.countDown();
        }
        return 0;
    }

    /** Until the process is told to stop. */
    private void serve(RunningModel running, AdminServing admin, AdminVerticle desk, ServerMetrics metrics)
            throws InterruptedException {
        ServerVerticle verticle = new ServerVerticle(
                TransportConfig.DEFAULT.withAddress(host, port()).withMaxConnections(maxConnections()),
                running.engine(),
                ready::get,
                () -> List.of(served(running)),
                admin.access()).showing(metrics.page());
        Vertx vertx = Vertx.vertx();
        try {
            await(vertx.deployVerticle(desk).compose(deployed -> vertx.deployVerticle(verticle)));
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("tidestream-stop").unstarted(this::stop));
            WarmUp.run(running);
            ready.set(true);
            announce(running, admin, verticle.actualPort());
            stopping.await();
        } finally {
            ready.set(false);
            await(vertx.close());
        }
    }

    /** The JVM ends when this does, so it waits until everything is closed. */
    private void stop() {
        stopping.countDown();
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void announce(RunningModel running, AdminServing admin, int port) {
        String address = "ws://%s:%d".formatted(host.contains(":") ? "[" + host + "]" : host, port);
        PrintWriter out = spec.commandLine().getOut();
        admin.announce(out, address + AdminProtocol.PATH);
        out.printf("%s: ready on %s%s (%s)%n", running.config().name(), address, Protocol.PATH, compute);
        out.flush();
    }

    private static ServedModel served(RunningModel running) {
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
            throw new CliException("cannot serve on %s:%d: %s".formatted(host, port(), cause.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

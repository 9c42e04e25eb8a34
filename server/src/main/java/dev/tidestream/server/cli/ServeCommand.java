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

import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.transport.ServedModel;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.TransportConfig;

/** {@code serve}: the server, until it is told to stop. */
@Command(name = "serve") // picocli wants the name of a subcommand on its own class; the rest is inherited
final class ServeCommand extends ServeOptions implements Callable<Integer> {
    @Override
    public Integer call() throws InterruptedException {
        EngineConfig engineConfig =
                EngineConfig.DEFAULT.withMaxSequences(maxSequences()).withKvMemoryBytes(kvMemory.bytes());
        RunningModel running = RunningModel.start(model, compute, engineConfig);
        AtomicBoolean ready = new AtomicBoolean();
        ServerVerticle verticle = new ServerVerticle(
                TransportConfig.DEFAULT.withAddress(host, port()), running.engine(), ready::get, () -> List.of(served(running)));
        Vertx vertx = Vertx.vertx();
        CountDownLatch ended = new CountDownLatch(1);
        Runnable stop = () -> {
            ready.set(false);
            try {
                await(vertx.close());
            } finally {
                running.close();
                ended.countDown();
            }
        };
        try {
            await(vertx.deployVerticle(verticle));
        } catch (CliException e) {
            stop.run();
            throw e;
        }
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("tidestream-stop").unstarted(stop));
        WarmUp.run(running);
        ready.set(true);
        PrintWriter out = spec.commandLine().getOut();
        out.printf("%s: ready on ws://%s:%d/v1/stream (%s)%n",
                running.config().name(), host.contains(":") ? "[" + host + "]" : host, verticle.actualPort(), compute);
        out.flush();
        ended.await();
        return 0;
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

package dev.tidestream.server.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

import picocli.CommandLine.Command;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.TidestreamServer;
import dev.tidestream.server.cli.terminal.TerminalStart;

/** {@code serve}: the server, until it is told to stop. */
@Command(name = "serve") // picocli wants the name of a subcommand on its own class; the rest is inherited
final class ServeCommand extends ServeOptions implements Callable<Integer> {
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);

    @Override
    public Integer call() throws InterruptedException {
        log.format.apply();
        ServerConfig config = config();
        try (TidestreamServer server = TidestreamServer.listen(config, new TerminalStart(spec.commandLine().getErr()))) {
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("tidestream-stop").unstarted(() -> stop(server)));
            server.warmUp();
            server.trimHeapWhileIdle();
            if (stopping.getCount() > 0) {
                announce(server, config.compute(), spec.commandLine().getOut());
            }
            stopping.await();
        } finally {
            ended.countDown();
        }
        return 0;
    }

    /**
     * Where it listens, and how administrators get in: a token that was made up has to be told, this one time. At once, for a reader who
     * leaves after the first line. Programs look for the address here, so nothing that a file says is beside it: what the model
     * calls itself is in the log.
     */
    static void announce(TidestreamServer server, ServerConfig.Compute compute, PrintWriter out) {
        String admin = server.madeUpToken()
                .map(token -> "admin: %s (token, made up for this run: %s)%n".formatted(server.adminUrl(), token)).orElse("");
        out.print(admin + "tidestream: ready on %s (%s)%n".formatted(server.streamUrl(), compute.words()));
        out.flush();
    }

    /** The JVM ends when this does, so it waits until everything is closed and said. */
    private void stop(TidestreamServer server) {
        server.stopping();
        stopping.countDown();
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        ProcessEnd.haltWithItsCode();
    }
}

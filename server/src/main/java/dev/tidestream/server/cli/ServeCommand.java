package dev.tidestream.server.cli;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

import picocli.CommandLine.Command;

/** {@code serve}: the server, until it is told to stop. */
@Command(name = "serve") // picocli wants the name of a subcommand on its own class; the rest is inherited
final class ServeCommand extends ServeOptions implements Callable<Integer> {
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);

    @Override
    public Integer call() throws InterruptedException {
        try (Serving serving = Serving.start(this)) {
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("tidestream-stop").unstarted(() -> stop(serving)));
            serving.warmUp();
            if (stopping.getCount() > 0) {
                serving.announce(spec.commandLine().getOut());
            }
            stopping.await();
        } finally {
            ended.countDown();
        }
        return 0;
    }

    /** The JVM ends when this does, so it waits until everything is closed and said. */
    private void stop(Serving serving) {
        serving.stopping();
        stopping.countDown();
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        ProcessEnd.haltWithItsCode();
    }
}

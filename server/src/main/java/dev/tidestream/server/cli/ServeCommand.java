package dev.tidestream.server.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;

import dev.tidestream.server.app.RunningServer;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.cli.configuration.SettingDefaults;
import dev.tidestream.server.cli.terminal.TerminalStart;
import dev.tidestream.server.console.ConsoleEndpoints;
import dev.tidestream.server.logging.LogLevels;
import dev.tidestream.server.transport.AccessRules;

/** {@code serve}: the server, until it is told to stop. */
@Command(name = "serve") // picocli wants the name of a subcommand on its own class; the rest is inherited
final class ServeCommand extends ServeOptions implements Callable<Integer> {
    private static final Logger log = LoggerFactory.getLogger("tidestream.server");
    private static final int SIGNALLED = 128;

    private final CountDownLatch stopping = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);

    @Override
    public Integer call() throws InterruptedException {
        logging.apply();
        ServerConfig config = config();
        logLevel().ifPresent(LogLevels::set);
        SettingDefaults.of(spec).ifPresent(defaults -> defaults.settings().warnings()
                .forEach(warning -> log.warn("{}", warning)));
        try (RunningServer server = RunningServer.listen(config, new TerminalStart(spec.commandLine().getErr()))) {
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("tidestream-stop").unstarted(() -> stop(server)));
            watch(server);
            onSignals(server);
            server.warmUp();
            server.trimHeapWhileIdle();
            if (stopping.getCount() > 0) {
                announce(server, config, spec.commandLine().getOut());
            }
            stopping.await();
        } finally {
            ended.countDown();
        }
        return 0;
    }

    /** Settings that may change are those of a file; without one there is nothing to read anew. */
    private void watch(RunningServer server) {
        SettingDefaults.of(spec).ifPresent(defaults -> defaults.file().ifPresent(file -> server.watch(
                List.of(file), new ServeReload(server, defaults.args(), spec)::run)));
    }

    /**
     * The first signal to end runs the shutdown hook, the second waits for nothing. SIGHUP stays what it is where no
     * file is taken anew.
     */
    private static void onSignals(RunningServer server) {
        AtomicBoolean again = new AtomicBoolean();
        IntConsumer end = number -> {
            if (again.getAndSet(true)) {
                Runtime.getRuntime().halt(SIGNALLED + number);
            }
            // the hook has the last word
            Thread.ofPlatform().name("tidestream-signal").start(() -> System.exit(SIGNALLED + number));
        };
        if (ProcessEnd.isExpected()) { // and no test's JVM
            ProcessSignals.on("TERM", end);
            ProcessSignals.on("INT", end);
            if (server.takesFilesAnew()) {
                ProcessSignals.on("HUP", number -> server.reloadFiles());
            }
        }
    }

    /**
     * How administrators get in (a token that was made up has to be told, this one time), where a browser finds the console, a line to
     * try, and where it listens. At once, for a reader who leaves after the first line. Programs look for the address here, so nothing
     * that a file says is beside it: what the model calls itself is in the log.
     */
    static void announce(RunningServer server, ServerConfig config, PrintWriter out) {
        AccessRules access = config.transport().access();
        String admin = server.madeUpToken()
                .map(token -> "admin: %s (token, made up for this run: %s)%n".formatted(server.adminUrl(), token)).orElse("");
        String console = server.httpUrl().filter(url -> access.console())
                .map(url -> "console: %s%s%n".formatted(url, ConsoleEndpoints.PATH)).orElse("");
        String key = access.apiKeys() == null ? "" : "-H 'Authorization: Bearer KEY' ";
        String attempt = server.httpUrl().map(url -> "try: curl %s/v1/completions %s-d '{\"prompt\": \"Once upon a time\", \"max_tokens\": 32}'%n"
                .formatted(url, key)).orElse("");
        out.print(admin + console + attempt + "tidestream: ready on %s (%s)%n".formatted(server.streamUrl(), config.compute().words()));
        out.flush();
    }

    /** The JVM ends when this does, so it waits until everything is closed and said. */
    private void stop(RunningServer server) {
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

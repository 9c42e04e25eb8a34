package dev.tidestream.server.app;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Stream;

import com.sun.management.OperatingSystemMXBean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.tensor.panel.QuantisationError;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.app.memory.JvmMemory;
import dev.tidestream.server.engine.EngineStats;
import dev.tidestream.server.logging.EventLine;

/** What the log says of a server's life: with what it starts, what bounds it, where it listens, for what it waits, and that it has ended. */
public final class ServerLife {
    private static final Logger log = LoggerFactory.getLogger("tidestream.server");
    private static final Path PROCESSORS = Path.of("/proc/cpuinfo");
    private static final String PROCESSOR = "model name";
    private static final Duration SAY_AGAIN = Duration.ofSeconds(2);

    private final Clock clock;

    ServerLife(Clock clock) {
        this.clock = clock;
    }

    /** Writes a line of the server's life. */
    public static void say(EventLine line) {
        log.info("{}", line);
    }

    /** Program, JVM, machine. */
    void starting() {
        JvmMemory memory = JvmMemory.ofThisProcess();
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        say(EventLine.of("starting").with("version", ProgramVersion.ours()).with("jdk", Runtime.version())
                .with("vm", System.getProperty("java.vm.name")).with("os", system.getName() + " " + system.getVersion())
                .with("arch", system.getArch()).with("processor", processor()).with("cores", Runtime.getRuntime().availableProcessors())
                .with("pid", ProcessHandle.current().pid()).with("memory_bytes", system.getTotalMemorySize())
                .with("max_heap_bytes", memory.heapBytes()).with("max_direct_bytes", memory.directBytes()));
    }

    /** As the system calls it; otherwise the kind of it. */
    private static String processor() {
        try (Stream<String> lines = Files.lines(PROCESSORS)) {
            Optional<String> name = lines.filter(line -> line.startsWith(PROCESSOR)).findFirst();
            if (name.isPresent()) {
                return name.get().substring(name.get().indexOf(':') + 1).strip();
            }
        } catch (IOException e) {
            log.debug("the system does not name its processor", e);
        }
        return System.getProperty("os.arch", "unknown");
    }

    /** What is to be expected of the kernels, if that is little. */
    void warnOf(Optional<String> kernels) {
        kernels.ifPresent(warning -> log.warn("{}", warning));
    }

    /** Model and weights, and what computes them. */
    void loaded(ModelRuntime running) {
        Precision precision = running.precision();
        say(EventLine.of("loaded").withText("model", running.blueprint().name()).withText("file", running.loader().source().path().toString())
                .with("types", ModelFiles.tensorTypes(running.loader().source()))
                .withText("head", "%s: %s".formatted(running.loader().tie().tied() ? "tied" : "separate", running.loader().tie().reason()))
                .with("held", running.loader().formatsHeldOtherwise().orElse(null))
                .with("head_error_max", running.loader().headError().map(QuantisationError::maxAbs).orElse(null))
                .with("head_error_rms", running.loader().headError().map(QuantisationError::rms).orElse(null))
                .with("parameters", running.parameters())
                .with("weights_bytes", running.first().bytes()).with("weights_version", running.weightsVersion())
                .with("context", running.blueprint().contextLength()).with("vocabulary", running.blueprint().vocabularySize())
                .with("threads", running.threads()).with("kernels", running.first().kernels().title()).with("activations", precision.body().wireName())
                .with("head_activations", precision.head().wireName()).with("kv_type", precision.kvType().name().toLowerCase(Locale.ROOT))
                .with("since_start_ms", sinceStartMs()));
    }

    /**
     * All limits of one kind.
     *
     * @param values a record of nothing else
     */
    void limits(String of, Record values) {
        say(EventLine.of("limits").with("of", of).withAll(values));
    }

    /** The history of versions; null for none. */
    void dataDirectory(@Nullable Path directory, @Nullable UpdateLog versions) {
        if (directory == null || versions == null) {
            say(EventLine.of("data_dir").with("path", "none"));
        } else {
            say(EventLine.of("data_dir").withText("path", directory.toString()).with("weights_version", versions.currentVersion())
                    .with("versions", versions.history().size()).with("base_sha256", versions.baseSha256()));
        }
    }

    /** Clients may come. */
    void ready(String url) {
        say(EventLine.of("ready").with("url", url).with("since_start_ms", sinceStartMs()));
    }

    /**
     * It takes nothing new.
     *
     * @param running streams
     * @param queued streams that wait for a place
     * @param grace that they have
     */
    void stopping(int running, int queued, Duration grace) {
        say(EventLine.of("stopping").with("running_streams", running).with("queued_streams", queued)
                .with("until", OffsetDateTime.now(clock).plus(grace).truncatedTo(ChronoUnit.MILLIS)));
    }

    /** It has not ended yet. */
    void stillStopping(int running, int queued, Duration elapsed) {
        say(EventLine.of("waiting").with("running_streams", running).with("queued_streams", queued)
                .with("elapsed_ms", elapsed.toMillis()));
    }

    /**
     * Waits until all connections are closed, and says every while who keeps it from that.
     *
     * @param stats of the streams that are left
     * @throws ServerException if they could not be closed
     */
    void awaitClosed(CompletableFuture<?> closed, long startNs, Supplier<EngineStats> stats) {
        boolean interrupted = false;
        while (!closed.isDone()) {
            try {
                closed.get(SAY_AGAIN.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                EngineStats left = stats.get();
                stillStopping(left.running(), left.queued(), Duration.ofNanos(System.nanoTime() - startNs));
            } catch (ExecutionException e) {
                throw new ServerException(ServerException.Reason.CLOSE, "the server could not be closed: " + e.getCause(), e);
            } catch (InterruptedException e) {
                interrupted = true;
                break;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Nothing of it is left. */
    void stopped(Duration took) {
        say(EventLine.of("stopped").with("took_ms", took.toMillis()).with("uptime_ms", sinceStartMs()));
    }

    /** Since the JVM was started. */
    static long sinceStartMs() {
        return System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime();
    }
}

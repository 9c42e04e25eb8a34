package dev.tidestream.server.admin.channel;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.eventbus.MessageConsumer;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.admin.AdminAudit;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.channel.bus.AdminBus;
import dev.tidestream.server.admin.channel.bus.ToDesk;
import dev.tidestream.server.logging.EventLog;

/**
 * Puts an {@link AdminDesk} on the event bus: an event-loop verticle that calls the desk on worker threads of its own
 * ({@code tidestream-admin-*}). One per Vert.x, in any order with the verticle that listens.
 *
 * <p>Stopping: nothing new is taken ({@code shutting_down}), payloads that are not complete are given up, and calls that run are
 * waited for; when it has stopped, the desk is not called any more.
 */
public final class AdminVerticle extends VerticleBase {
    /** Two changes, one transfer, and always one thread for reads. */
    public static final int DEFAULT_WORKERS = 4;

    private static final int MIN_WORKERS = 3;
    private static final long TELL_SUPPRESSED_MS = TimeUnit.SECONDS.toMillis(10);
    private static final int WORRY_AFTER_MINUTES = 10;
    private static final Duration PROGRESS_INTERVAL = Duration.ofMillis(500);

    private final AdminDesk desk;
    private final int workers;
    private final Duration progressInterval;
    private final LongSupplier nanoTime;
    private final EventLog audit;
    private @Nullable Running running;

    private record Running(AdminDispatcher dispatcher, MessageConsumer<ToDesk> consumer, WorkerExecutor pool) {}

    /** @param audit where everything that administrators do is written down */
    public AdminVerticle(AdminDesk desk, EventLog audit) {
        this(desk, audit, DEFAULT_WORKERS, PROGRESS_INTERVAL, System::nanoTime);
    }

    /**
     * A verticle with other numbers.
     *
     * @param workers threads for the desk, at least 3
     * @param progressInterval at most one report of a stage in this time
     */
    public AdminVerticle(AdminDesk desk, EventLog audit, int workers, Duration progressInterval, LongSupplier nanoTime) {
        if (workers < MIN_WORKERS) {
            throw new IllegalArgumentException("workers must be at least " + MIN_WORKERS + ": " + workers);
        }
        this.desk = desk;
        this.audit = audit;
        this.workers = workers;
        this.progressInterval = progressInterval;
        this.nanoTime = nanoTime;
    }

    @Override
    public Future<?> start() {
        AdminBus bus = AdminBus.of(vertx);
        WorkerExecutor pool =
                vertx.createSharedWorkerExecutor("tidestream-admin", workers, WORRY_AFTER_MINUTES, TimeUnit.MINUTES);
        AdminDispatcher dispatcher =
                new AdminDispatcher(desk, bus, new AdminAudit(audit), pool, workers, progressInterval, nanoTime);
        vertx.setPeriodic(TELL_SUPPRESSED_MS, timer -> audit.tellSuppressed());
        dispatcher.maintain();
        running = new Running(dispatcher, bus.listenAsDesk(dispatcher::on), pool);
        return Future.succeededFuture();
    }

    @Override
    public Future<?> stop() {
        Running r = running;
        return r == null
                ? Future.succeededFuture()
                : r.dispatcher().stop().onComplete(v -> audit.tellSuppressed())
                        .compose(v -> r.consumer().unregister()).compose(v -> r.pool().close());
    }
}

package dev.tidestream.server.transport.endpoint;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

class WorkersTest {
    private static final int PATIENCE_S = 60;

    private final Vertx vertx = Vertx.vertx();
    private final Workers workers = new Workers(vertx.getOrCreateContext(), 1);

    @AfterEach
    void close() throws Exception {
        vertx.close().await(PATIENCE_S, TimeUnit.SECONDS);
    }

    @Test
    void shouldLetNobodyWaitForOneThatTakesItsTime() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        Future<String> takesItsTime = workers.run(() -> false, () -> {
            go.await();
            return "first";
        });
        assertEquals("second", workers.run(() -> false, () -> "second").await(PATIENCE_S, TimeUnit.SECONDS));
        go.countDown();
        assertEquals("first", takesItsTime.await(PATIENCE_S, TimeUnit.SECONDS));
    }

    @Test
    void shouldNotWorkForWhoHasGone() {
        AtomicBoolean worked = new AtomicBoolean();
        Future<Void> work = workers.run(() -> true, () -> {
            worked.set(true);
            return null;
        });
        assertThrows(RuntimeException.class, () -> work.await(PATIENCE_S, TimeUnit.SECONDS));
        assertFalse(worked.get());
    }
}

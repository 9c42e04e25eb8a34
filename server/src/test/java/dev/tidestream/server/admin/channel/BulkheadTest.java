package dev.tidestream.server.admin.channel;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class BulkheadTest {
    private static final int PATIENCE_S = 60;

    private final Vertx vertx = Vertx.vertx();
    private final Context loop = vertx.getOrCreateContext();

    @AfterEach
    void close() throws Exception {
        vertx.close().await(PATIENCE_S, TimeUnit.SECONDS);
    }

    @Test
    void shouldKeepItsWidthAndLeaveTheOtherThreads() throws Exception {
        WorkerExecutor pool = vertx.createSharedWorkerExecutor("bulkheads", 3);
        Bulkhead narrow = new Bulkhead(pool, 2);
        Bulkhead other = new Bulkhead(pool, 3);
        CountDownLatch gate = new CountDownLatch(1);
        CountDownLatch full = new CountDownLatch(2);
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<Future<Integer>> held = new ArrayList<>();
        Promise<Integer> past = Promise.promise();
        CountDownLatch posted = new CountDownLatch(1);
        loop.runOnContext(v -> {
            for (int i = 0; i < 10; i++) {
                int number = i;
                held.add(narrow.run(() -> {
                    most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                    full.countDown();
                    assertTrue(gate.await(PATIENCE_S, TimeUnit.SECONDS));
                    inside.decrementAndGet();
                    if (number == 3) {
                        throw new IllegalStateException("scripted");
                    }
                    return number;
                }));
            }
            other.run(() -> 7).onComplete(past);
            posted.countDown();
        });
        assertTrue(posted.await(PATIENCE_S, TimeUnit.SECONDS));
        assertEquals(7, past.future().await(PATIENCE_S, TimeUnit.SECONDS));
        assertTrue(full.await(PATIENCE_S, TimeUnit.SECONDS));
        assertFalse(held.getFirst().isComplete());
        gate.countDown();
        for (int i = 0; i < 10; i++) {
            Future<Integer> future = held.get(i);
            if (i != 3) {
                assertEquals(i, future.await(PATIENCE_S, TimeUnit.SECONDS));
            } else { // a failure frees its thread as well
                assertThrows(IllegalStateException.class, () -> future.await(PATIENCE_S, TimeUnit.SECONDS));
            }
        }
        assertEquals(2, most.get());
    }
}

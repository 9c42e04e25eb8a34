package dev.tidestream.server.engine;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

class KernelWorkersTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void shouldRunEveryItemOfManyTinyRegionsExactlyOnce(int threads) {
        int[] counts = new int[64]; // each item is one thread's in a region; regions follow each other
        try (KernelWorkers workers = new KernelWorkers(threads)) {
            int regions = threads > 2 ? 20_000 : 100_000;
            for (int region = 0; region < regions; region++) {
                int items = region % (counts.length + 1);
                int value = region;
                workers.forEachRange(items, 1 + region % 3, (from, to) -> {
                    for (int i = from; i < to; i++) {
                        counts[i] += value;
                    }
                });
                for (int i = 0; i < counts.length; i++) {
                    if (counts[i] != (i < items ? value : 0)) {
                        throw new AssertionError("region=%d, item=%d, value=%d".formatted(region, i, counts[i]));
                    }
                    counts[i] = 0;
                }
            }
        }
    }

    @Test
    void shouldBeginRangesAtMultiplesOfTheGrain() {
        try (KernelWorkers workers = new KernelWorkers(2)) {
            for (int items : new int[] {1, 31, 32, 33, 1000, 4096, 100_001}) {
                AtomicIntegerArray seen = new AtomicIntegerArray(items);
                workers.forEachRange(items, 32, (from, to) -> {
                    if (from % 32 != 0 || to <= from) {
                        throw new AssertionError("from=%d, to=%d".formatted(from, to));
                    }
                    for (int i = from; i < to; i++) {
                        seen.incrementAndGet(i);
                    }
                });
                for (int i = 0; i < items; i++) {
                    assertEquals(1, seen.get(i));
                }
            }
            workers.forEachRange(Integer.MAX_VALUE, 1 << 30, (from, to) -> { });
        }
    }

    @Test
    void shouldThrowWhatATaskThrowsAfterTheRegionHasEnded() {
        try (KernelWorkers workers = new KernelWorkers(2)) {
            AtomicInteger chunks = new AtomicInteger();
            IllegalArgumentException thrown = new IllegalArgumentException("as if");
            IllegalArgumentException caught = assertThrows(IllegalArgumentException.class, () -> workers.forEachRange(8, 1, (from, to) -> {
                chunks.incrementAndGet();
                if (from == 3) {
                    throw thrown;
                }
            }));
            assertSame(thrown, caught);
            assertEquals(8, chunks.get());
            workers.forEachRange(8, 1, (from, to) -> chunks.incrementAndGet());
            assertEquals(16, chunks.get());
        }
    }

    @Test
    void shouldRefuseANestedRegionAndWorkAfterClose() {
        KernelWorkers workers = new KernelWorkers(1);
        assertThrows(IllegalStateException.class,
                () -> workers.forEachRange(1, 1, (a, b) -> workers.forEachRange(1, 1, (c, d) -> { })));
        workers.close();
        assertThrows(IllegalStateException.class, () -> workers.forEachRange(1, 1, (from, to) -> { }));
    }
}

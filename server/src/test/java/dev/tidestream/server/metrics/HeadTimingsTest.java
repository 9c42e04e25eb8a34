package dev.tidestream.server.metrics;

import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.server.metrics.HeadTimings.Latency;
import dev.tidestream.server.metrics.HeadTimings.Snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class HeadTimingsTest {
    private static final double PRECISION = 0.01;
    private static final Latency NOTHING = new Latency(0, 0, 0, 0);

    private final HeadTimings timings = new HeadTimings();

    /** The smallest value that so many percent of all values do not exceed. */
    private static double exactMicros(long[] sortedNs, double percent) {
        int rank = (int) Math.ceil(percent / 100 * sortedNs.length);
        return sortedNs[Math.max(1, rank) - 1] / 1e3;
    }

    private static void assertNear(double expected, double actual, String what) {
        assertEquals(expected, actual, expected * PRECISION + 0.1, what);
    }

    @RepeatedTest(5)
    void shouldGiveThePercentilesOfAllValues(RepetitionInfo repetition) {
        long seed = repetition.getCurrentRepetition();
        Random random = new Random(seed);
        long[] all = new long[20_000 + random.nextInt(1000)];
        long[] single = new long[all.length];
        int singles = 0;
        for (int i = 0; i < all.length; i++) {
            all[i] = (long) Math.exp(random.nextDouble(Math.log(1_000), Math.log(5e9)));
            int rows = random.nextBoolean() ? 1 : 1 + random.nextInt(16);
            if (rows == 1) {
                single[singles++] = all[i];
            }
            timings.logitsComputed(HeadMode.PACKED, rows, 1, all[i]);
            if (i % 5000 == 0) {
                timings.snapshot(HeadMode.PACKED); // a reader takes nothing away
            }
        }
        single = Arrays.copyOf(single, singles);
        Snapshot snapshot = timings.snapshot(HeadMode.PACKED);
        assertLatency(all, snapshot.allCalls(), "all, seed=" + seed);
        assertLatency(single, snapshot.singleRow(), "single, seed=" + seed);
    }

    private static void assertLatency(long[] ns, Latency latency, String what) {
        Arrays.sort(ns);
        assertEquals(ns.length, latency.calls(), what);
        assertEquals(Arrays.stream(ns).sum(), latency.nanos(), what);
        assertNear(exactMicros(ns, 50), latency.p50Micros(), "p50 of " + what);
        assertNear(exactMicros(ns, 99), latency.p99Micros(), "p99 of " + what);
    }

    @Test
    void shouldBeZeroBeforeTheFirstCall() {
        for (HeadMode mode : HeadMode.values()) {
            Snapshot snapshot = timings.snapshot(mode);
            assertEquals(new Snapshot(NOTHING, NOTHING, 0, 0), snapshot);
            assertEquals(0.0, snapshot.gigabytesPerSecond());
        }
    }

    @Test
    void shouldKeepModesApart() {
        timings.logitsComputed(HeadMode.PACKED, 1, 3_000_000, 100_000);
        timings.logitsComputed(HeadMode.PACKED, 4, 3_000_000, 200_000);
        timings.logitsComputed(HeadMode.CACHED_TRANSPOSE, 2, 8_000_000, 1_000_000);
        Snapshot packed = timings.snapshot(HeadMode.PACKED);
        assertEquals(5, packed.rows());
        assertEquals(6_000_000, packed.bytesRead());
        assertEquals(20.0, packed.gigabytesPerSecond());
        assertEquals(2, packed.allCalls().calls());
        assertEquals(1, packed.singleRow().calls());
        assertNear(100, packed.singleRow().p99Micros(), "p99");
        assertNear(200, packed.allCalls().p99Micros(), "p99");
        Snapshot cached = timings.snapshot(HeadMode.CACHED_TRANSPOSE);
        assertEquals(8.0, cached.gigabytesPerSecond());
        assertEquals(NOTHING, cached.singleRow());
        assertEquals(new Snapshot(NOTHING, NOTHING, 0, 0), timings.snapshot(HeadMode.TRANSPOSE_PER_STEP));
    }

    @Test
    void shouldForgetTheWarmUp() {
        for (HeadMode mode : HeadMode.values()) {
            timings.logitsComputed(mode, 1, 7, 9_000_000_000L);
            timings.logitsComputed(mode, 3, 7, 9_000_000_000L);
        }
        timings.snapshot(HeadMode.PACKED); // what was read is forgotten as well as what was not
        timings.forget();
        for (HeadMode mode : HeadMode.values()) {
            assertEquals(new Snapshot(NOTHING, NOTHING, 0, 0), timings.snapshot(mode));
        }
        timings.logitsComputed(HeadMode.PACKED, 1, 500, 50_000);
        Snapshot snapshot = timings.snapshot(HeadMode.PACKED);
        assertEquals(1, snapshot.singleRow().calls());
        assertEquals(10e-3, snapshot.gigabytesPerSecond());
        assertNear(50, snapshot.allCalls().p99Micros(), "p99");
    }

    @Test
    void shouldTakeAnyTime() {
        for (long nanos : new long[] {Long.MIN_VALUE, -1, 0, 1, 60_000_000_000L, 60_000_000_001L, 1L << 61}) {
            timings.logitsComputed(HeadMode.PACKED, 1, 0, nanos);
        }
        Latency latency = timings.snapshot(HeadMode.PACKED).allCalls();
        assertEquals(7, latency.calls());
        assertEquals(1 + 120_000_000_001L + (1L << 61), latency.nanos());
        assertNear(60e6, latency.p99Micros(), "p99");
    }

    @Test
    void shouldLoseNothingWhileOthersRead() throws Exception {
        int calls = 300_000;
        int readers = 2;
        CountDownLatch started = new CountDownLatch(readers);
        CountDownLatch written = new CountDownLatch(1);
        try (ExecutorService pool = Executors.newFixedThreadPool(readers)) {
            Callable<Long> reader = () -> {
                long last = 0;
                started.countDown();
                for (boolean more = true; more; ) {
                    more = written.getCount() > 0;
                    long now = timings.snapshot(HeadMode.PACKED).allCalls().calls();
                    assertTrue(now >= last, now + " after " + last);
                    last = now;
                }
                return last;
            };
            Future<Long> one = pool.submit(reader);
            Future<Long> two = pool.submit(reader);
            started.await();
            for (int i = 1; i <= calls; i++) {
                timings.logitsComputed(HeadMode.PACKED, i % 2 + 1, 10, i);
            }
            written.countDown();
            assertEquals(calls, one.get());
            assertEquals(calls, two.get());
        }
        Snapshot snapshot = timings.snapshot(HeadMode.PACKED);
        assertEquals((long) calls * (calls + 1) / 2, snapshot.allCalls().nanos());
        assertEquals(calls / 2 * 3L, snapshot.rows());
        assertEquals(10L * calls, snapshot.bytesRead());
        assertEquals(calls / 2, snapshot.singleRow().calls());
    }

    @Test
    void shouldAllocateNothingWhenRecording() {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        StreamTimings streams = new StreamTimings();
        long allocated = 0;
        for (int round = 0; round < 3; round++) { // the first one loads classes
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 100_000; i++) {
                timings.logitsComputed(HeadMode.PACKED, i & 3, 10, i);
                streams.firstToken(i);
                streams.nextToken(i);
            }
            allocated = threads.getCurrentThreadAllocatedBytes() - before;
        }
        assertTrue(allocated < 10_000, "allocated bytes=" + allocated);
    }
}

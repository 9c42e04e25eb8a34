package dev.tidestream.server.metrics;

import java.util.Arrays;
import java.util.Collections;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

class StreamTimingsTest {

    @Test
    void shouldCountWithinBounds() {
        TimeBuckets buckets = new TimeBuckets(0.001, 0.01, 60);
        for (long ns : new long[] {-5, 0, 1_000_000, 1_000_001, 10_000_000, 60_000_000_000L, 60_000_000_001L, 1L << 40}) {
            buckets.record(ns);
        }
        TimeBuckets.Snapshot snapshot = buckets.snapshot();
        assertArrayEquals(new double[] {0.001, 0.01, 60, Double.POSITIVE_INFINITY}, snapshot.upperSeconds());
        assertArrayEquals(new long[] {3, 2, 1, 2}, snapshot.counts());
        assertEquals((1_000_000L + 1_000_001 + 10_000_000 + 120_000_000_001L + (1L << 40)) / 1e9, snapshot.sumSeconds());
    }

    @Test
    void shouldKeepFirstAndNextTokensApart() {
        StreamTimings timings = new StreamTimings();
        timings.firstToken(30_000_000);
        timings.nextToken(12_000_000);
        timings.nextToken(12_000_000);
        assertEquals(1, LongStream.of(timings.firstTokenSnapshot().counts()).sum());
        assertEquals(0.03, timings.firstTokenSnapshot().sumSeconds());
        assertEquals(2, timings.nextTokenSnapshot().counts()[4]);
        assertEquals(0.024, timings.nextTokenSnapshot().sumSeconds());
    }

    @Test
    void shouldForgetTheWarmUp() {
        StreamTimings timings = new StreamTimings();
        timings.firstToken(1_000);
        timings.nextToken(1L << 40);
        timings.forget();
        assertEquals(0, LongStream.of(timings.firstTokenSnapshot().counts()).sum());
        assertEquals(0, LongStream.of(timings.nextTokenSnapshot().counts()).sum());
        assertEquals(0.0, timings.firstTokenSnapshot().sumSeconds());
        assertEquals(0.0, timings.nextTokenSnapshot().sumSeconds());
    }

    @Test
    void shouldLoseNothingBetweenThreads() throws Exception {
        StreamTimings timings = new StreamTimings();
        int perThread = 50_000;
        Callable<Integer> recording = () -> {
            for (int i = 0; i < perThread; i++) {
                timings.nextToken(i * 1000L);
            }
            return perThread;
        };
        try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
            for (Future<Integer> recorded : pool.invokeAll(Collections.nCopies(4, recording))) {
                assertEquals(perThread, recorded.get());
            }
        }
        TimeBuckets.Snapshot snapshot = timings.nextTokenSnapshot();
        assertEquals(4L * perThread, Arrays.stream(snapshot.counts()).sum());
        assertEquals(4 * 1001, snapshot.counts()[0]);
        assertEquals(2e-6 * perThread * (perThread - 1), snapshot.sumSeconds(), 1e-9);
    }
}

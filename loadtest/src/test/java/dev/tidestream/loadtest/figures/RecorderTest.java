package dev.tidestream.loadtest.figures;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.tidestream.loadtest.plan.Slo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The arithmetic, with times made up; histograms keep three digits, so 0.1 % is allowed. */
class RecorderTest {
    private static final long MS = 1_000_000;
    private static final long S = 1_000_000_000;

    private final Recorder recorder = new Recorder(Slo.parse("ttft=100ms,itl=20ms"), 0);

    private Figures figures() {
        return recorder.figures(0.5, 0.1, 0, null);
    }

    /** A measured request at {@code startNs}: first token after {@code ttftMs}, then {@code tokens - 1} gaps. */
    private void request(long startNs, long ttftMs, int tokens, long gapMs) {
        recorder.sent(startNs, startNs);
        long at = startNs + ttftMs * MS;
        long first = at;
        recorder.firstToken(startNs, at, 1, true, false);
        for (int i = 1; i < tokens; i++) {
            recorder.nextToken(at, at + gapMs * MS, 1, true, false);
            at += gapMs * MS;
        }
        recorder.finished(new StreamTimes(startNs, startNs, first, at, at, tokens));
    }

    @Test
    void shouldGivePercentilesOfAllKindsOfLatency() {
        recorder.openWindow(0);
        for (int i = 1; i <= 100; i++) {
            request(10L * i * MS, i, 5, 10);
        }
        recorder.closeWindow(10 * S);
        Figures f = figures();
        assertEquals(100, f.requests());
        assertEquals(100, f.ttft().count());
        assertEquals(50, f.ttft().p50(), 0.1);
        assertEquals(90, f.ttft().p90(), 0.1);
        assertEquals(95, f.ttft().p95(), 0.1);
        assertEquals(99, f.ttft().p99(), 0.1);
        assertEquals(100, f.ttft().p999(), 0.1);
        assertEquals(100, f.ttft().max(), 0.1);
        assertEquals(50.5, f.ttft().mean(), 0.1);
        assertEquals(400, f.itl().count());
        assertEquals(10, f.itl().p50(), 0.01);
        assertEquals(10, f.tpot().p99(), 0.01);
        assertEquals(90, f.e2e().p50(), 0.1);
        assertEquals(100, f.streamTokensPerS(), 0.1);
        assertEquals(500, f.tokens());
        assertEquals(50, f.tokensPerS(), 1e-9);
        assertEquals(10, f.requestsPerS(), 1e-9);
        assertEquals(Latency.CURVE.size(), f.ttft().curve().size());
    }

    @Test
    void shouldKeepTheWarmUpApart() {
        recorder.firstToken(0, 500 * MS, 1, false, false);
        assertFalse(recorder.measures(S - 1));
        recorder.openWindow(S);
        assertTrue(recorder.measures(S));
        request(S, 10, 2, 10);
        recorder.closeWindow(2 * S);
        assertFalse(recorder.measures(2 * S));
        recorder.nextToken(2 * S, 2 * S + MS, 1, false, false);
        Figures f = figures();
        assertEquals(2, f.tokens());
        assertEquals(1, f.ttft().count());
        assertEquals(1, f.seconds(), 1e-9);
        assertEquals(4, recorder.tokensSoFar());
    }

    @Test
    void shouldCountGoodRequestsOnly() {
        recorder.openWindow(0);
        request(0, 50, 3, 10); // good
        request(0, 150, 3, 10); // late
        request(0, 50, 3, 30); // slow
        request(0, 50, 1, 0); // good: no gap, no demand on it
        recorder.sent(0, 0);
        recorder.failed();
        recorder.sent(0, 0);
        recorder.cancelled();
        recorder.sent(0, 0);
        recorder.vanished();
        recorder.sent(0, 0);
        recorder.finishedSlowly();
        recorder.closeWindow(2 * S);
        Figures f = figures();
        assertEquals(2, f.good());
        assertEquals(0.4, f.goodShare(), 1e-9); // of five that no fault of ours touched
        assertEquals(1, f.goodPerS(), 1e-9);
        assertEquals(List.of(8L, 5L, 1L, 1L, 1L), List.of(f.requests(), f.finished(), f.failed(), f.cancelled(), f.vanished()));
    }

    @Test
    void shouldKeepSamplesMarksErrorsAndVersions() {
        recorder.openWindow(0);
        recorder.firstToken(0, 100 * MS, 3, true, false);
        recorder.nextToken(100 * MS, 180 * MS, 5, true, false);
        Sample sample = recorder.sample(250 * MS, 7, 8);
        assertEquals(new Sample(0.25, 8, 7, 8, 100, 80, 0), sample);
        assertEquals(new Sample(0.5, 0, 7, 8, 0, 0, 0), recorder.sample(500 * MS, 7, 8));
        recorder.mark(300 * MS, 50 * MS, "admin", "toggle");
        recorder.error("busy");
        recorder.error("busy");
        recorder.admin("toggle", 300 * MS, 350 * MS);
        recorder.closeWindow(S);
        Figures f = figures();
        assertEquals(List.of(new Mark(0.3, 0.05, "admin", "toggle")), recorder.marks());
        assertEquals(Map.of("busy", 2L), f.errors());
        assertEquals(List.of(3L, 5L), f.versions());
        assertEquals(50, f.admin().getOrDefault("toggle", f.ttft()).p50(), 0.1);
    }

    @Test
    void shouldWarnWhenTheClientIsTheBottleneck() {
        recorder.openWindow(0);
        recorder.sent(0, MS);
        recorder.closeWindow(S);
        assertFalse(figures().client().bottleneck());
        assertTrue(recorder.figures(1, 0.9, 0, null).client().bottleneck());
        recorder.sent(0, 50 * MS);
        assertTrue(figures().client().bottleneck());
    }

    @Test
    void shouldTellWhatOthersUsed() {
        recorder.openWindow(0);
        recorder.closeWindow(S);
        assertEquals(0.4, recorder.figures(0.1, 0, 2, new Figures.ServerUse(1.5, 100)).client().othersCores(), 1e-9);
        assertEquals(0, recorder.figures(0.6, 0, 2, new Figures.ServerUse(1.5, 100)).client().othersCores());
        assertEquals(0, recorder.figures(0.1, 0, 2, null).client().othersCores(), "others may be the server");
    }

    @Test
    void shouldSayNothingOfNothing() {
        recorder.openWindow(0);
        recorder.closeWindow(S);
        Figures f = figures();
        assertEquals(0, f.ttft().count());
        assertEquals(0, f.goodShare());
        assertEquals(List.of(), f.versions());
    }
}

package dev.tidestream.server.bench;

import java.lang.management.ManagementFactory;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.bench.TokenGaps.Gap;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.pacing.StepBreak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class GapMeterTest {
    private static final long MS = 1_000_000;
    private static final TokenEvent TOKEN = new TokenEvent.Token(0, 1, "a", 1, null, List.of(), null);
    private static final TokenEvent OTHER = new TokenEvent.Accepted(1, 1, 1, "packed", 1);

    /** Uses a core, however long that takes. */
    private static void compute(long ns) {
        long end = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() + ns;
        while (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() < end) {
            Thread.onSpinWait();
        }
    }

    @Test
    void shouldMeasureFromOneTokenOfAStreamToTheNext() {
        TokenGaps gaps = new TokenGaps();
        GapMeter meter = new GapMeter(new StepBreak(), () -> gaps);
        meter.accept(TOKEN);
        meter.accept(TOKEN);
        meter.accept(OTHER); // another stream begins
        meter.accept(TOKEN);
        assertEquals(1, gaps.all().size());
        Gap gap = gaps.all().getFirst();
        assertTrue(gap.ns() > 0 && gap.breakNs() == 0, gap.toString());
    }

    @Test
    void shouldCountWhatTheThreadComputedInAGapOnly() {
        TokenGaps gaps = new TokenGaps();
        GapMeter meter = new GapMeter(new StepBreak(), () -> gaps);
        compute(200 * MS);
        meter.accept(TOKEN);
        compute(2 * MS);
        meter.accept(TOKEN);
        long computedNs = gaps.all().getFirst().computedNs();
        assertTrue(computedNs >= 2 * MS && computedNs < 200 * MS, computedNs + " ns");
    }
}

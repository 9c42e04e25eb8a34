package dev.tidestream.server.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.function.Supplier;

import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.pacing.StepBreak;

/** Measures the time between two tokens where they come, on the decode thread: no queue and no socket is part of it. */
public final class GapMeter {
    private final StepBreak breaks;
    private final Supplier<TokenGaps> current;
    private final StolenTime stolen = new StolenTime();
    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private long lastNs;
    private long lastBreakNs;
    private long lastStolenNs;
    private long lastComputedNs;
    private boolean started;

    /** @param current where a token that comes now is counted */
    public GapMeter(StepBreak breaks, Supplier<TokenGaps> current) {
        this.breaks = breaks;
        this.current = current;
    }

    /** An event of the stream; a stream's first token follows none. */
    public void accept(TokenEvent event) {
        if (!(event instanceof TokenEvent.Token)) {
            started = false;
            return;
        }
        long nowNs = System.nanoTime();
        long breakNs = breaks.givenNs();
        long stolenNs = stolen.ns();
        long computedNs = threads.getCurrentThreadCpuTime();
        if (started) {
            current.get().add(new TokenGaps.Gap(
                    nowNs - lastNs, breakNs - lastBreakNs, stolenNs - lastStolenNs, computedNs - lastComputedNs));
        }
        started = true;
        lastNs = nowNs;
        lastBreakNs = breakNs;
        lastStolenNs = stolenNs;
        lastComputedNs = computedNs;
    }
}

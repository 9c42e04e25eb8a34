package dev.tidestream.server.admin.build;

import java.lang.management.ManagementFactory;

import dev.tidestream.protocol.admin.AdminResult;

/** Wall and processor time of a build on the calling thread, from its creation to {@link #cost}. */
public final class BuildTime {
    private static final double NS_PER_MS = 1e6;

    private final long startNs = System.nanoTime();
    private final long startCpuNs = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();

    /** Time so far, and the share of one core that the builder used. */
    public AdminResult.BuildCost cost() {
        long wallNs = Math.max(1, System.nanoTime() - startNs);
        long cpuNs = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - startCpuNs;
        return new AdminResult.BuildCost(wallNs / NS_PER_MS, Math.clamp((double) cpuNs / wallNs, 0, 1));
    }
}

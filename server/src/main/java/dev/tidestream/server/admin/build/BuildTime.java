package dev.tidestream.server.admin.build;

import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;

/** Wall and processor time of a build on the calling thread, from its creation to {@link #details}. */
public final class BuildTime {
    private static final double NS_PER_MS = 1e6;

    private final long startNs = System.nanoTime();
    private final long startCpuNs = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();

    /** As it stands in an ack: {@code build_ms}, and the share of one core that the builder used. */
    public Map<String, Object> details() {
        long wallNs = Math.max(1, System.nanoTime() - startNs);
        long cpuNs = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - startCpuNs;
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("build_ms", wallNs / NS_PER_MS);
        details.put("builder_cpu_share", Math.clamp((double) cpuNs / wallNs, 0, 1));
        return details;
    }
}

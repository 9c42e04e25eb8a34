package dev.tidestream.loadtest.figures;

import java.lang.management.ManagementFactory;

import com.sun.management.OperatingSystemMXBean;

/** How busy this process, and its one I/O thread, were since the last call of {@link #start}. */
public final class CpuMeter {
    private final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private final long ioThread;
    private long startNs;
    private long processNs;
    private long ioNs;

    /** @param ioThread {@link Thread#threadId()} */
    public CpuMeter(long ioThread) {
        this.ioThread = ioThread;
    }

    public void start() {
        startNs = System.nanoTime();
        processNs = system.getProcessCpuTime();
        ioNs = ioCpuNs();
    }

    /** Cores busy on average. */
    public double cores() {
        return (double) (system.getProcessCpuTime() - processNs) / Math.max(1, System.nanoTime() - startNs);
    }

    /** Share of the time, in [0, 1], in which the I/O thread ran. */
    public double ioShare() {
        return (double) (ioCpuNs() - ioNs) / Math.max(1, System.nanoTime() - startNs);
    }

    private long ioCpuNs() {
        return Math.max(0, ManagementFactory.getThreadMXBean().getThreadCpuTime(ioThread));
    }
}

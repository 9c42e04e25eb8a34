package dev.tidestream.loadtest.figures;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

import com.sun.management.OperatingSystemMXBean;

/** How busy this process, and its one I/O thread, were since the last call of {@link #start}. */
public final class CpuMeter {
    private static final Path STAT = Path.of("/proc/stat");
    private static final int IDLE = 4;
    private static final int IO_WAIT = 5;

    private final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private final long ioThread;
    private long startNs;
    private long processNs;
    private long ioNs;
    private double machineS;

    /** @param ioThread {@link Thread#threadId()} */
    public CpuMeter(long ioThread) {
        this.ioThread = ioThread;
    }

    public void start() {
        startNs = System.nanoTime();
        processNs = system.getProcessCpuTime();
        ioNs = ioCpuNs();
        machineS = machineBusyS();
    }

    /** Cores of this machine that were busy on average, with whatever; 0 if the system does not say. */
    public double machineCores() {
        return (machineBusyS() - machineS) * 1e9 / Math.max(1, System.nanoTime() - startNs);
    }

    /** Cores busy on average. */
    public double cores() {
        return (double) (system.getProcessCpuTime() - processNs) / Math.max(1, System.nanoTime() - startNs);
    }

    /** Share of the time, in [0, 1], in which the I/O thread ran. */
    public double ioShare() {
        return (double) (ioCpuNs() - ioNs) / Math.max(1, System.nanoTime() - startNs);
    }

    /** From /proc/stat, where there is one: all of user, nice, system, irq and softirq, in hundredths of a second. */
    private static double machineBusyS() {
        if (!Files.isReadable(STAT)) {
            return 0;
        }
        try (Stream<String> lines = Files.lines(STAT)) {
            String[] fields = lines.findFirst().orElse("").split(" +", -1);
            long ticks = 0;
            for (int i = 1; i < Math.min(8, fields.length); i++) {
                ticks += i == IDLE || i == IO_WAIT ? 0 : Long.parseLong(fields[i]);
            }
            return ticks / 100.0;
        } catch (IOException e) {
            return 0; // a container may hide it
        }
    }

    private long ioCpuNs() {
        return Math.max(0, ManagementFactory.getThreadMXBean().getThreadCpuTime(ioThread));
    }
}

package dev.tidestream.server.app.memory;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

import com.sun.management.OperatingSystemMXBean;

/** How much more memory this process may take without harm. */
public final class AvailableMemory {
    private static final Path MEMINFO = Path.of("/proc/meminfo");
    private static final String AVAILABLE = "MemAvailable:";
    private static final int BYTES_PER_UNIT = 1024; // meminfo counts in kB

    private AvailableMemory() {}

    /** What the system says is available, page cache that it can drop included; where it does not say so, what is free. */
    public static long bytes() {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return Math.min(system.getTotalMemorySize(), meminfo().orElseGet(system::getFreeMemorySize)); // a container has less
    }

    private static Optional<Long> meminfo() {
        try {
            return Files.exists(MEMINFO)
                    ? Files.readAllLines(MEMINFO).stream().filter(line -> line.startsWith(AVAILABLE))
                            .map(line -> Long.parseLong(line.replaceAll("\\D", "")) * BYTES_PER_UNIT).findFirst()
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // then the other source must do
        }
    }
}

package dev.tidestream.server.engine;

import java.lang.management.ManagementFactory;
import java.util.Arrays;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;

import dev.tidestream.model.tensor.WorkerTeam.RangeTask;

/** What a parallel region costs when warm, what it allocates, and what idle workers use: {@code main [threads]}. */
final class KernelWorkersBenchmark {
    private static final int ROUNDS = 21;
    private static final int REGIONS = 20_000;
    private static volatile long sink;

    private KernelWorkersBenchmark() {}

    public static void main(String[] args) throws InterruptedException {
        int threads = args.length > 0 ? Integer.parseInt(args[0]) : Runtime.getRuntime().availableProcessors();
        ThreadMXBean allocations = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        RangeTask nothing = (from, to) -> { };
        RangeTask work = (from, to) -> {
            long sum = 0;
            for (int i = from; i < to; i++) {
                sum = sum * 31 + i;
            }
            sink = sum;
        };
        try (KernelWorkers workers = new KernelWorkers(threads)) {
            System.out.printf("threads=%d%n", threads);
            report("empty region", workers, 1024, nothing, allocations);
            report("region of 64k multiplications", workers, 1 << 16, work, allocations);
            long before = system.getProcessCpuTime();
            Thread.sleep(2000);
            System.out.printf("idle for 2 s: cpu=%.2f ms%n", (system.getProcessCpuTime() - before) / 1e6);
        }
        try (KernelWorkers alone = new KernelWorkers(1)) {
            report("the latter, 1 thread", alone, 1 << 16, work, allocations);
        }
        System.out.printf("checksum=%d%n", sink);
    }

    private static void report(String name, KernelWorkers workers, int items, RangeTask task, ThreadMXBean allocations) {
        long[] nsPerRegion = new long[ROUNDS];
        long bytes = 0;
        for (int round = 0; round < ROUNDS; round++) {
            bytes = allocations.getCurrentThreadAllocatedBytes();
            long startNs = System.nanoTime();
            for (int i = 0; i < REGIONS; i++) {
                workers.forEachRange(items, 1, task);
            }
            nsPerRegion[round] = (System.nanoTime() - startNs) / REGIONS;
            bytes = allocations.getCurrentThreadAllocatedBytes() - bytes;
        }
        Arrays.sort(nsPerRegion);
        System.out.printf("%s: median=%d ns, min=%d, max=%d, allocated=%.3f bytes%n", name, nsPerRegion[ROUNDS / 2],
                nsPerRegion[0], nsPerRegion[ROUNDS - 1], (double) bytes / REGIONS);
    }
}

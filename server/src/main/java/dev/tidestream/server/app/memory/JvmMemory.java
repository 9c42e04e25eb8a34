package dev.tidestream.server.app.memory;

import java.lang.management.ManagementFactory;

import com.sun.management.HotSpotDiagnosticMXBean;

/**
 * The ceilings of the JVM's own memory, as it was started. Weights, KV cache and mapped files are neither heap nor direct
 * buffers; they are bounded by {@code --memory-budget} and {@code --kv-memory}.
 *
 * @param heapBytes most bytes of objects: prompts in work, sessions, messages as text
 * @param directBytes most bytes of direct buffers: what sockets read and write. Netty and the JDK count theirs apart, each up to
 *     this
 */
public record JvmMemory(long heapBytes, long directBytes) {
    private static final String DIRECT = "MaxDirectMemorySize";

    /** Of this process. */
    public static JvmMemory ofThisProcess() {
        long heapBytes = Runtime.getRuntime().maxMemory();
        HotSpotDiagnosticMXBean jvm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        return of(heapBytes, Long.parseLong(jvm.getVMOption(DIRECT).getValue()));
    }

    /** @param directOption the JVM's option; 0 if it was not given, and then as much as the heap is allowed */
    static JvmMemory of(long heapBytes, long directOption) {
        return new JvmMemory(heapBytes, directOption == 0 ? heapBytes : directOption);
    }
}

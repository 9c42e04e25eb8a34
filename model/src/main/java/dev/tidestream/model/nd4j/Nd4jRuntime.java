package dev.tidestream.model.nd4j;

import org.nd4j.linalg.factory.Nd4j;

/**
 * Starts ND4J as this process needs it.
 *
 * <ul>
 *   <li>JavaCPP by default refuses allocations, and calls {@code System.gc()}, when the process grows past limits that it
 *       derives from the heap. Our weights are many gigabytes off-heap: the limits are lifted.
 *   <li>Nothing off-heap is freed by the garbage collector. Layouts are closed by who built them; so no reference queues, no
 *       threads of ND4J.
 *   <li>One BLAS thread. The worker team splits the work instead. With two threads OpenBLAS splits a matrix where it likes, and
 *       its bits differ from those of one thread (seen at V = 32003); and its threads would fight ours for the cores.
 * </ul>
 *
 * A property that the user set stands.
 */
final class Nd4jRuntime {
    private static final int THREADS = 1;

    private static boolean started;

    private Nd4jRuntime() {}

    /**
     * Loads ND4J unless it is loaded; about a second.
     *
     * @throws Nd4jException if there is no native library for this system
     */
    static synchronized void start() {
        if (started) {
            return;
        }
        setUnlessSet("org.bytedeco.javacpp.maxbytes", "0");
        setUnlessSet("org.bytedeco.javacpp.maxphysicalbytes", "0");
        setUnlessSet("org.bytedeco.javacpp.nopointergc", "true");
        try {
            Nd4j.getMemoryManager().togglePeriodicGc(false);
            Nd4j.factory().blas().setMaxThreads(THREADS);
        } catch (LinkageError | RuntimeException e) {
            throw new Nd4jException("ND4J cannot be loaded: os=%s, arch=%s: %s"
                    .formatted(System.getProperty("os.name"), System.getProperty("os.arch"), e), e);
        }
        started = true;
    }

    private static void setUnlessSet(String name, String value) {
        if (System.getProperty(name) == null) {
            System.setProperty(name, value);
        }
    }
}

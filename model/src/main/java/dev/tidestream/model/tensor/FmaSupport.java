package dev.tidestream.model.tensor;

import java.lang.management.ManagementFactory;
import java.util.Optional;

import com.sun.management.HotSpotDiagnosticMXBean;

/** Whether this JVM makes a processor's instruction of {@link Math#fma(float, float, float)}: as it says, or as is measured. */
final class FmaSupport {
    private static final String FLAG = "UseFMA";
    /** Of one call: BigDecimal takes 500 and more when compiled and some 10,000 in an interpreter, an instruction 50 even there. */
    private static final double SLOW_NS = 250;
    private static final int CALLS = 200;
    private static final int ROUNDS = 5;

    private FmaSupport() {}

    static boolean present() {
        return flag().orElseGet(FmaSupport::measured);
    }

    /** What the JVM says; empty if it is not HotSpot, or one without that flag or that module. */
    static Optional<Boolean> flag() {
        try {
            HotSpotDiagnosticMXBean hotSpot = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
            return Optional.ofNullable(hotSpot).map(bean -> Boolean.valueOf(bean.getVMOption(FLAG).getValue()));
        } catch (IllegalArgumentException | LinkageError e) {
            return Optional.empty();
        }
    }

    /** The fastest of some rounds, so that a thread that is interrupted does not make it slow. */
    private static boolean measured() {
        float[] values = {1.25f, 0.75f};
        double fastestNs = Double.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            long startNs = System.nanoTime();
            for (int i = 0; i < CALLS; i++) {
                values[0] = Math.fma(values[0], values[1], 0.3f);
            }
            fastestNs = Math.min(fastestNs, (System.nanoTime() - startNs) / (double) CALLS);
        }
        return fastestNs < SLOW_NS;
    }
}

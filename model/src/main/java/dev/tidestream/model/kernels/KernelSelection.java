package dev.tidestream.model.kernels;

import java.util.Optional;

import dev.tidestream.model.kernels.jit.MachineKernels;
import dev.tidestream.model.kernels.scalar.ScalarKernels;
import dev.tidestream.model.kernels.vector.VectorKernels;
import dev.tidestream.model.kernels.vector.base.VectorShapes;
import dev.tidestream.model.tensor.Kernels;

/**
 * The one place that knows all implementations of {@link Kernels}. All give the same bits; they differ in speed:
 *
 * <table>
 *   <caption>Which is the fastest</caption>
 *   <tr><td>x86-64 Linux with AVX2, FMA and F16C, vectors of 256 bits</td><td>generated code for AVX2</td></tr>
 *   <tr><td>the same with AVX-512 (VBMI, VNNI), vectors of 512 bits</td><td>generated code for AVX-512</td></tr>
 *   <tr><td>everything else</td><td>the Vector API</td></tr>
 * </table>
 *
 * <p>{@code -Dtidestream.machine.code=on|off|auto} and {@code -Dtidestream.vector.bits=128|256|512} choose something else. The
 * choice is made once in a process, when it is first asked for. Any thread.
 */
public final class KernelSelection {
    private KernelSelection() {}

    /** Loaded on first use, so that who takes the scalar kernels needs neither the Vector API nor machine code. */
    private static final class Generated {
        static final Optional<Kernels> INSTANCE = MachineKernels.find(
                System.getProperty(MachineKernels.PROPERTY, "auto"), VectorShapes.BITS, VectorKernels.INSTANCE)
                .map(kernels -> kernels);
    }

    /** The oracle: slow, and independent of the processor and of incubating modules. */
    public static Kernels scalar() {
        return ScalarKernels.INSTANCE;
    }

    /** The Vector API at this machine's preferred width, or at {@code -Dtidestream.vector.bits}. */
    public static Kernels vector() {
        return VectorKernels.INSTANCE;
    }

    /** Generated machine code, where this machine can run it and it is not switched off. */
    public static Optional<Kernels> generated() {
        return Generated.INSTANCE;
    }

    /** Generated machine code if there is some, else the Vector API. */
    public static Kernels fastest() {
        return generated().orElseGet(KernelSelection::vector);
    }
}

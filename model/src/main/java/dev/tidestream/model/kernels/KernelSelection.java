package dev.tidestream.model.kernels;

import java.util.Optional;
import java.util.OptionalInt;

import dev.tidestream.model.kernels.jit.GeneratedKernels;
import dev.tidestream.model.kernels.scalar.ScalarKernels;
import dev.tidestream.model.kernels.vector.VectorKernels;
import dev.tidestream.model.kernels.vector.base.VectorShapes;
import dev.tidestream.model.tensor.Fma;
import dev.tidestream.model.tensor.Kernels;

/**
 * The one place that knows all implementations of {@link Kernels}. All give the same bits; they differ in speed:
 *
 * <table>
 *   <caption>Which is the fastest</caption>
 *   <tr><td>x86-64 Linux with AVX2, FMA and F16C, vectors of 256 bits</td><td>generated code for AVX2</td></tr>
 *   <tr><td>the same with AVX-512 (VBMI, VNNI), vectors of 512 bits</td><td>generated code for AVX-512</td></tr>
 *   <tr><td>everything else with an FMA instruction and vectors of 128 bits or more</td><td>the Vector API</td></tr>
 *   <tr><td>the rest</td><td>scalar code, with a {@link #warning}</td></tr>
 * </table>
 *
 * <p>Generated code does not need the incubating module of the Vector API, and where the JVM was started without it, the
 * processor alone decides. {@code -Dtidestream.machine.code=on|off|auto} and {@code -Dtidestream.vector.bits=128|256|512} choose
 * something else. The choice is made once in a process, when it is first asked for. Any thread.
 */
public final class KernelSelection {
    private static final String VECTOR_API = "jdk.incubator.vector";

    private static final int AVX2_BITS = 256;

    private KernelSelection() {}

    /** Loaded on first use, and only in a JVM that has the Vector API. */
    private static final class Portable {
        static final Optional<String> MISSING = missing(
                Fma.hardware(), VectorShapes.PREFERRED_BITS, System.getProperty(VectorShapes.PROPERTY) != null);
        static final Kernels KERNELS = MISSING.isPresent() ? ScalarKernels.INSTANCE : VectorKernels.INSTANCE;

        static OptionalInt bits() {
            return OptionalInt.of(VectorShapes.BITS);
        }
    }

    /** Loaded on first use, so that who takes the scalar kernels needs no machine code. */
    private static final class Generated {
        static final Optional<Kernels> KERNELS = GeneratedKernels.find(
                System.getProperty(GeneratedKernels.PROPERTY, "auto"), haveVectorApi() ? Portable.bits() : chosenBits())
                .map(kernels -> kernels);

        private static OptionalInt chosenBits() {
            Integer bits = Integer.getInteger(VectorShapes.PROPERTY);
            return bits == null ? OptionalInt.empty() : OptionalInt.of(bits);
        }
    }

    /**
     * What the Vector API lacks to be faster than scalar code; empty if nothing is.
     *
     * @param fma whether the JVM has an instruction for it; without, each lane of each vector goes through {@code BigDecimal}
     * @param preferredBits of vectors on this machine
     * @param chosen whether the width of vectors was chosen by whoever started the process
     */
    static Optional<String> missing(boolean fma, int preferredBits, boolean chosen) {
        if (!fma) {
            return Optional.of("no fused multiply-add instruction (FMA)");
        }
        return preferredBits >= VectorShapes.LEAST_BITS || chosen ? Optional.empty()
                : Optional.of("no vectors of %d bits or more: preferred_bits=%d"
                        .formatted(VectorShapes.LEAST_BITS, preferredBits));
    }

    /** The oracle: slow, and independent of the processor and of incubating modules. */
    public static Kernels scalar() {
        return ScalarKernels.INSTANCE;
    }

    /**
     * The Vector API at this machine's preferred width, or at {@code -Dtidestream.vector.bits}.
     *
     * @throws IllegalStateException if the process was started without the Vector API
     */
    public static Kernels vector() {
        requireVectorApi();
        return VectorKernels.INSTANCE;
    }

    /** Generated machine code, where this machine can run it and it is not switched off. */
    public static Optional<Kernels> generated() {
        return Generated.KERNELS;
    }

    /** Whether this JVM was started with the Vector API. */
    public static boolean haveVectorApi() {
        return ModuleLayer.boot().findModule(VECTOR_API).isPresent();
    }

    private static void requireVectorApi() {
        if (!haveVectorApi()) {
            throw new IllegalStateException("the Vector API is missing: start java with --add-modules=" + VECTOR_API);
        }
    }

    /**
     * Generated machine code if there is some, else the Vector API, or scalar code where the Vector API would be slower.
     *
     * @throws IllegalStateException if there is no generated code and the process was started without the Vector API
     */
    public static Kernels fastest() {
        if (generated().isPresent()) {
            return generated().get();
        }
        requireVectorApi();
        return Portable.KERNELS;
    }

    /**
     * What whoever starts a process with the {@link #fastest} kernels has to be told, in one line: that they are slow, and why.
     *
     * @throws IllegalStateException if there is no generated code and the process was started without the Vector API
     */
    public static Optional<String> warning() {
        if (generated().isPresent()) {
            return Optional.empty();
        }
        if (fastest() == ScalarKernels.INSTANCE) {
            return Portable.MISSING.map(KernelSelection::slow);
        }
        boolean chosen = System.getProperty(VectorShapes.PROPERTY) != null;
        return narrow(System.getProperty("os.arch"), VectorShapes.PREFERRED_BITS, chosen);
    }

    /**
     * What to say of vectors that are narrow for their processor; nothing where no wider ones are to be expected.
     *
     * @param architecture as {@code os.arch} has it
     * @param preferredBits of vectors on this machine
     * @param chosen whether the width of vectors was chosen by whoever started the process
     */
    static Optional<String> narrow(String architecture, int preferredBits, boolean chosen) {
        return !architecture.equals("amd64") || preferredBits >= AVX2_BITS || chosen ? Optional.empty()
                : Optional.of("kernels with vectors of %d bits, which are slow: this JVM has no AVX2. Expect about a twentieth of the"
                        .formatted(preferredBits) + " tokens per second of a processor with it; answers are the same");
    }

    private static String slow(String missing) {
        return "scalar kernels, which are slow: this JVM has " + missing + ". Expect a tenth to a hundredth of the tokens per"
                + " second of a processor with AVX2; answers are the same";
    }
}

package dev.tidestream.model.kernels;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import jdk.incubator.vector.FloatVector;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * What the processor promises is what runs. All kernels give the same bits, so nothing else would fail if a process fell back to
 * slow ones: here the expectation is read from the system's list of flags, not from what the product asks the processor.
 */
class KernelSelectionTest {
    private static final Set<String> FOR_AVX2 = Set.of("avx2", "fma", "f16c");
    private static final Set<String> FOR_AVX512 = Set.of("avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512vbmi",
            "avx512_vnni");
    // Of the Vector API, in this run.
    private static final String EXPECTED = System.getProperty("tidestream.expected.kernels", "");

    @Test
    void shouldTakeWhatTheProcessorPromises() throws IOException {
        Set<String> flags = flags();
        int bits = Integer.getInteger("tidestream.vector.bits", bits(flags, FloatVector.SPECIES_PREFERRED.vectorBitSize()));
        assertEquals("vector-" + bits, KernelSelection.vector().title(), "flags=" + flags);
        assertEquals(title(flags, bits, System.getProperty("tidestream.machine.code", "auto")), KernelSelection.fastest().title(),
                "flags=" + flags);
        assertEquals(Optional.empty(), KernelSelection.warning());
    }

    @ParameterizedTest
    @CsvSource({"true, 128, false", "true, 512, false", "true, 64, true"})
    void shouldTakeTheVectorApiWhereItsVectorsAreOfUse(boolean fma, int preferredBits, boolean chosen) {
        assertEquals(Optional.empty(), KernelSelection.missing(fma, preferredBits, chosen));
    }

    @ParameterizedTest
    @CsvSource({
        "false, 128, false, no fused multiply-add instruction (FMA)",
        "false, 512, true, no fused multiply-add instruction (FMA)",
        "true, 64, false, no vectors of 128 bits or more: preferred_bits=64"})
    void shouldSayWhatTheVectorApiLacks(boolean fma, int preferredBits, boolean chosen, String missing) {
        assertEquals(Optional.of(missing), KernelSelection.missing(fma, preferredBits, chosen));
    }

    @Test
    void shouldWarnOfNarrowVectorsOnX86Only() {
        assertEquals(Optional.of("kernels with vectors of 128 bits, which are slow: this JVM has no AVX2. Expect about a "
                + "twentieth of the tokens"
                + " per second of a processor with it; answers are the same"), KernelSelection.narrow("amd64", 128, false));
        assertEquals(Optional.empty(), KernelSelection.narrow("aarch64", 128, false));
        assertEquals(Optional.empty(), KernelSelection.narrow("amd64", 256, false));
        assertEquals(Optional.empty(), KernelSelection.narrow("amd64", 128, true));
    }

    /** The pom runs tests at several widths, and says here which. */
    @Test
    void shouldUseTheWidthThisRunIsFor() {
        if (!EXPECTED.isEmpty()) {
            assertEquals(EXPECTED, KernelSelection.vector().title());
        }
        assertEquals(KernelSelection.generated().orElse(KernelSelection.vector()).title(), KernelSelection.fastest().title());
        assertEquals("scalar", KernelSelection.scalar().title());
    }

    @ParameterizedTest
    @CsvSource({
        "avx512f avx512bw avx512vl avx512dq avx512vbmi avx512_vnni avx2 fma f16c, 128, auto, avx512-vnni",
        "avx512f avx512bw avx512vl avx512dq avx2 fma f16c, 512, auto, vector-512",
        "avx512f avx512bw avx512vl avx512dq avx2 fma f16c, 512, on, avx2",
        "avx2 fma f16c, 128, auto, avx2",
        "avx2 fma f16c, 128, off, vector-256",
        "avx2 fma, 256, auto, vector-256",
        "sse2, 128, auto, vector-128"})
    void shouldKnowWhatFlagsPromise(String flags, int preferredBits, String choice, String expected) {
        Set<String> all = new HashSet<>(Arrays.asList(flags.split(" ")));
        assertEquals(expected, title(all, bits(all, preferredBits), choice));
    }

    /** The Vector API's width; its own preference only where flags do not say it. */
    private static int bits(Set<String> flags, int preferred) {
        if (flags.containsAll(FOR_AVX512)) {
            return 512;
        }
        // Some have AVX-512, but not to advantage.
        return flags.containsAll(FOR_AVX2) && !flags.contains("avx512f") ? 256 : preferred;
    }

    private static String title(Set<String> flags, int bits, String choice) {
        String vector = "vector-" + bits;
        if (!flags.containsAll(FOR_AVX2) || choice.equals("off")) {
            return vector;
        }
        boolean wide = flags.containsAll(FOR_AVX512) && bits == 512;
        boolean generated = wide || bits == 256 || choice.equals("on");
        return !generated ? vector : wide ? "avx512-vnni" : "avx2";
    }

    /** What Linux lists for x86-64: what the processor has and the system has switched on. Elsewhere nothing is promised. */
    private static Set<String> flags() throws IOException {
        Path list = Path.of("/proc/cpuinfo");
        if (!System.getProperty("os.arch").equals("amd64") || !Files.isReadable(list)) {
            return Set.of();
        }
        try (Stream<String> lines = Files.lines(list)) {
            String flags = lines.filter(line -> line.startsWith("flags")).findFirst().orElseThrow();
            return new HashSet<>(Arrays.asList(flags.substring(flags.indexOf(':') + 1).strip().split(" ")));
        }
    }
}

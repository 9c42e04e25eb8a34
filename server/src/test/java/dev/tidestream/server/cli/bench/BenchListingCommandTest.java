package dev.tidestream.server.cli.bench;

import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.kernels.jit.GeneratedKernel;
import dev.tidestream.server.cli.Run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Needs no processor of a kind: nothing is run. */
class BenchListingCommandTest {
    private static final int HEX_FROM = 8;
    private static final int HEX_TO = 42;

    @ParameterizedTest
    @CsvSource({"q4_0,row,avx512", "q4_0,row,avx2", "f16,float_rows,avx512", "activations,quantise,avx2",
            "attention,softmax,avx512", "rows,silu,avx2"})
    void shouldPrintEveryByteOfAKernelWithLabels(String family, String name, String level) {
        Run run = Run.of("bench", "listing", family, name, level);
        assertEquals(0, run.code(), run.err());
        GeneratedKernel kernel = GeneratedKernel.all(GeneratedKernel.Level.valueOf(level.toUpperCase(Locale.ROOT))).stream()
                .filter(one -> one.family().equals(family) && one.name().equals(name)).findFirst().orElseThrow();
        List<String> lines = run.out().lines().toList();
        assertEquals("; %s %s, %s, %d bytes".formatted(family, name, level, kernel.code().length), lines.getFirst());
        String bytes = lines.stream().filter(line -> line.startsWith(" "))
                .map(line -> line.substring(HEX_FROM, HEX_TO).strip()).collect(Collectors.joining(" "));
        assertEquals(HexFormat.ofDelimiter(" ").formatHex(kernel.code()), bytes);
        assertTrue(lines.stream().anyMatch(line -> line.matches("\\w+:")), "labels");
        assertTrue(lines.getLast().endsWith(" ret"), lines.getLast());
    }

    @Test
    void shouldListKernelsWithoutAName() {
        Run run = Run.of("bench", "listing");
        assertEquals(0, run.code(), run.err());
        assertEquals(1 + GeneratedKernel.all(GeneratedKernel.Level.AVX512).size(), run.out().lines().count());
        for (GeneratedKernel kernel : GeneratedKernel.all(GeneratedKernel.Level.AVX512)) {
            assertTrue(run.out().lines().anyMatch(line -> line.matches("%s +%s +%d +%d".formatted(kernel.family(), kernel.name(),
                    kernel.code().length, kernel.listing().size()))), kernel.toString());
        }
    }

    @Test
    void shouldSayWhatThereIs() {
        Run run = Run.of("bench", "listing", "q5_1", "row", "avx2");
        assertEquals(2, run.code());
        assertTrue(run.err().startsWith("tidestream: no such generated kernel: family=q5_1, kernel=row, level=avx2; there are: "
                + "f32 float_row,"), run.err());
        Run level = Run.of("bench", "listing", "q4_0", "row", "neon");
        assertEquals(2, level.code());
        assertTrue(level.err().startsWith("tidestream: LEVEL must be avx2 or avx512: neon"), level.err());
    }

    @Test
    void shouldHaveExamplesInItsHelp() {
        Run help = Run.of("bench", "listing", "--help");
        assertEquals(0, help.code(), help.err());
        assertTrue(help.out().contains("tidestream bench listing q4_0 row avx512"), help.out());
    }
}

package dev.tidestream.model.kernels.jit;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.jit.GeneratedKernel.Level;
import dev.tidestream.model.kernels.jit.ProductKernels.Kind;
import dev.tidestream.model.machine.Cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** Kernels as text: a listing has exactly the bytes of its kernel, and those are the bytes that run. */
class GeneratedKernelTest {
    private static final Pattern JUMP = Pattern.compile("jnz (\\w+)");

    static List<GeneratedKernel> kernels() {
        return Arrays.stream(Level.values()).flatMap(level -> GeneratedKernel.all(level).stream()).toList();
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void shouldListExactlyTheBytesOfAKernel(GeneratedKernel kernel) {
        List<GeneratedKernel.Line> listing = kernel.listing();
        String hex = listing.stream().map(GeneratedKernel.Line::hex).collect(Collectors.joining(" "));
        assertEquals(HexFormat.ofDelimiter(" ").formatHex(kernel.code()), hex);
        int offset = 0;
        for (GeneratedKernel.Line instruction : listing) {
            assertEquals(offset, instruction.offset());
            assertFalse(instruction.text().startsWith("db "), "all is named: " + instruction.text());
            offset += (instruction.hex().length() + 1) / 3;
        }
        assertEquals("ret", listing.getLast().text());
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void shouldJumpToLabelsOfTheListingOnly(GeneratedKernel kernel) {
        List<GeneratedKernel.Line> all = kernel.listing();
        List<String> labels = all.stream().flatMap(one -> one.labels().stream()).toList();
        Set<String> targets = all.stream().map(one -> JUMP.matcher(one.text())).filter(jump -> jump.matches())
                .map(jump -> jump.group(1)).collect(Collectors.toSet());
        assertTrue(labels.containsAll(targets), () -> "jumps to " + targets + ", labels " + labels);
        assertEquals(labels.size(), Set.copyOf(labels).size(), "names are unique: " + labels);
        assertFalse(labels.isEmpty());
    }

    @ParameterizedTest
    @EnumSource
    void shouldListTheBytesThatRun(Level level) {
        assumeTrue(Cpu.level() != Cpu.Level.NONE, "no machine code here");
        ProductKernels programs = ProductKernels.assemble(level == Level.AVX512).orElseThrow();
        int compared = 0;
        for (GeneratedKernel kernel : GeneratedKernel.all(level)) {
            MemorySegment loaded = TensorFormat.find(kernel.family().toUpperCase(Locale.ROOT))
                    .map(format -> programs.find(format, Kind.valueOf(kernel.name().toUpperCase(Locale.ROOT))))
                    .orElse(kernel.name().equals("quantise") ? programs.quantiser() : null);
            if (loaded != null) {
                byte[] bytes = loaded.toArray(ValueLayout.JAVA_BYTE);
                int length = kernel.code().length;
                assertArrayEquals(kernel.code(), Arrays.copyOf(bytes, length), kernel.family() + " " + kernel.name());
                assertArrayEquals(new byte[bytes.length - length], Arrays.copyOfRange(bytes, length, bytes.length), "padding");
                compared++;
            }
        }
        assertTrue(compared >= 1 + 2 * 3 + 4 * 5, "kernels: " + compared);
    }
}

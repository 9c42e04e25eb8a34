package dev.tidestream.model.machine;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class ExecutableMemoryTest {

    /** Code that returns what it was given, and no page that is both writable and executable. */
    @Test
    @SuppressWarnings("restricted") // native access is enabled, see PageArena
    void shouldRunWhatWasWrittenAndNoLongerBeWritable() throws Throwable {
        Assembler code = new Assembler();
        code.bytes(0x48, 0x89, 0xf8); // mov rax, rdi
        code.ret();
        MemorySegment program = ExecutableMemory.of(code.toByteArray()).orElseThrow();
        long answer = (long) Linker.nativeLinker()
                .downcallHandle(program, FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG))
                .invokeExact(123_456_789_012L);
        assertEquals(123_456_789_012L, answer);
        String start = Long.toHexString(program.address());
        List<String> pages = Files.readAllLines(Path.of("/proc/self/maps"));
        assertTrue(pages.stream().anyMatch(line -> covers(line, program.address()) && line.contains(" r-xp ")), start);
    }

    private static boolean covers(String line, long address) {
        String[] range = line.split(" ", 2)[0].split("-", 2);
        return Long.parseUnsignedLong(range[0], 16) <= address && address < Long.parseUnsignedLong(range[1], 16);
    }

    /** The same answer as the kernel's list of flags. */
    @Test
    void shouldKnowTheProcessor() throws Exception {
        Optional<String> flags = Files.readAllLines(Path.of("/proc/cpuinfo")).stream().filter(line -> line.startsWith("flags")).findFirst();
        List<String> known = List.of(flags.orElseThrow().split("\\s+"));
        boolean avx2 = known.containsAll(List.of("avx2", "fma", "f16c"));
        boolean avx512 = known.containsAll(List.of("avx512f", "avx512bw", "avx512vbmi", "avx512_vnni"));
        assertEquals(!avx2 ? Cpu.Level.NONE : avx512 ? Cpu.Level.AVX512_VNNI : Cpu.Level.AVX2, Cpu.level());
    }
}

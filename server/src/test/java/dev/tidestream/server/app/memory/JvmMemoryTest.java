package dev.tidestream.server.app.memory;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import io.netty.util.internal.PlatformDependent;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class JvmMemoryTest {
    /** Prints what it was started with, and what Netty makes of it. */
    static final class Printer {
        private Printer() {}

        public static void main(String[] args) {
            JvmMemory memory = JvmMemory.ofThisProcess();
            System.out.println(memory.directBytes());
            System.out.println(memory.heapBytes());
            System.out.println(PlatformDependent.maxDirectMemory());
        }
    }

    private static List<String> started(String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(List.of(options));
        command.addAll(List.of("--sun-misc-unsafe-memory-access=allow", "-cp", System.getProperty("java.class.path"),
                Printer.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return said.lines().toList();
    }

    @Test
    void shouldReadWhatTheJvmWasStartedWith() throws Exception {
        List<String> said = started("-XX:+UseParallelGC", "-Xmx64m", "-Xmn1m", "-XX:MaxDirectMemorySize=48m");
        assertEquals(String.valueOf(48 << 20), said.getFirst(), said.toString());
        long heapBytes = Long.parseLong(said.get(1));
        assertTrue(heapBytes > 60 << 20 && heapBytes <= 64 << 20, said.toString());
        assertEquals(String.valueOf(48 << 20), said.getLast(), "Netty does not keep to the ceiling");
    }

    @Test
    void shouldTakeTheHeapsWhereDirectBuffersHaveNoCeiling() {
        assertEquals(new JvmMemory(100, 100), JvmMemory.of(100, 0));
        assertEquals(new JvmMemory(100, 7), JvmMemory.of(100, 7));
    }
}

package dev.tidestream.model.tensor.memory;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class PageArenaTest {

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 63, 4097, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, 7_654_321})
    void shouldGiveZeroedAlignedMemoryThatEndsWithTheArena(long bytes) {
        MemorySegment segment;
        try (Arena arena = new PageArena()) {
            segment = arena.allocate(bytes, 64);
            assertEquals(bytes, segment.byteSize());
            assertEquals(0, segment.address() % 64);
            for (long i = 0; i < bytes; i += 997) {
                assertEquals(0, segment.get(ValueLayout.JAVA_BYTE, i));
            }
            segment.fill((byte) 5);
            MemorySegment another = arena.allocate(bytes, 64);
            another.fill((byte) 7);
            if (bytes > 0) {
                assertEquals(5, segment.get(ValueLayout.JAVA_BYTE, bytes - 1));
            }
        }
        assertFalse(segment.scope().isAlive());
    }

    @Test
    void shouldGiveItsMemoryBackWhenClosed() throws IOException {
        Path statm = Path.of("/proc/self/statm");
        Assumptions.assumeTrue(Files.isReadable(statm), "no /proc on this system");
        long bytes = 512L << 20;
        long before = virtualPages(statm);
        try (Arena arena = new PageArena()) {
            arena.allocate(bytes, 64).set(ValueLayout.JAVA_BYTE, bytes - 1, (byte) 1);
            assertTrue(virtualPages(statm) - before >= bytes / 2 / 4096, "mapped");
        }
        assertTrue(virtualPages(statm) - before < bytes / 2 / 4096, "unmapped");
    }

    private static long virtualPages(Path statm) throws IOException {
        return Long.parseLong(Files.readString(statm).split(" ", -1)[0]);
    }

    @Test
    void shouldRefuseWhatTheSystemDoesNotHave() {
        try (Arena arena = new PageArena()) {
            OutOfMemoryError e = assertThrows(OutOfMemoryError.class, () -> arena.allocate(1L << 60, 64));
            assertTrue(String.valueOf(e.getMessage()).contains(String.valueOf(1L << 60)), e.getMessage());
        }
    }

    @Test
    void shouldRefuseAClosedArena() {
        Arena arena = new PageArena();
        arena.close();
        assertThrows(IllegalStateException.class, () -> arena.allocate(100, 64));
        assertThrows(IllegalStateException.class, () -> arena.allocate(100 << 20, 64));
    }
}

package dev.tidestream.model.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

class LazyMemoryTest {

    @Test
    void shouldGiveMemoryThatEndsWithTheArena() {
        for (long bytes : new long[] {1, 63, 64, 4097, 3 << 20}) {
            MemorySegment segment;
            try (Arena arena = Arena.ofShared()) {
                segment = LazyMemory.allocate(bytes, arena);
                assertEquals(bytes, segment.byteSize());
                assertEquals(0, segment.address() % 64);
                segment.fill((byte) 5);
                assertEquals(5, segment.get(ValueLayout.JAVA_BYTE, bytes - 1));
            }
            assertFalse(segment.scope().isAlive());
        }
    }

    @Test
    void shouldRefuseWhatTheSystemDoesNotHave() {
        try (Arena arena = Arena.ofShared()) {
            var e = assertThrows(OutOfMemoryError.class, () -> LazyMemory.allocate(1L << 60, arena));
            assertEquals("no memory for a tensor: bytes=" + ((1L << 60) + 64), e.getMessage());
        }
    }

    @Test
    void shouldRefuseAClosedArena() {
        Arena closed;
        try (Arena arena = Arena.ofShared()) {
            closed = arena;
        }
        assertThrows(IllegalStateException.class, () -> LazyMemory.allocate(100, closed));
    }
}

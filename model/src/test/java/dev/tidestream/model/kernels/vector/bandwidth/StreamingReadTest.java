package dev.tidestream.model.kernels.vector.bandwidth;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.tensor.WorkerTeam;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class StreamingReadTest {
    private static final int MIB = 1 << 20;

    @Test
    void shouldReadAllOfItsMemory() {
        try (Arena arena = Arena.ofConfined()) {
            StreamingRead read = new StreamingRead(3 * MIB, arena, WorkerTeam.sequential());
            assertEquals(3 * MIB, read.bytes());
            read.pass(WorkerTeam.sequential()); // throws unless it has seen every value
        }
    }

    @Test
    void shouldSeeEveryValueOnce() {
        try (Arena arena = Arena.ofConfined()) {
            var memory = arena.allocate(4096, 64);
            for (int i = 0; i < 1024; i++) {
                memory.set(ValueLayout.JAVA_INT, i * 4L, i * i);
            }
            assertEquals(1023 * 1024 / 2 * 2047 / 3, VectorStream.sum(memory, 0, 4096));
        }
    }

    @Test
    void shouldRefuseMemoryThatIsNoWholeNumberOfPieces() {
        try (Arena arena = Arena.ofConfined()) {
            assertThrows(IllegalArgumentException.class, () -> new StreamingRead(MIB + 1, arena, WorkerTeam.sequential()));
            assertThrows(IllegalArgumentException.class, () -> new StreamingRead(0, arena, WorkerTeam.sequential()));
        }
    }
}

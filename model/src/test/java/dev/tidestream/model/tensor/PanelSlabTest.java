package dev.tidestream.model.tensor;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class PanelSlabTest {
    private static final long MIB = 1 << 20;

    @Test
    void shouldLetNobodyTouchHisNeighbours() {
        long[] sizes = {100, 3 * MIB + 7, 64, 65, 5 * MIB, 1};
        long bytes = 0;
        for (long size : sizes) {
            bytes += PanelSlab.paddedBytes(size);
        }
        PanelSlab slab = PanelSlab.allocate(bytes);
        List<PanelSlab.Part> parts = new ArrayList<>();
        for (long size : sizes) {
            PanelSlab.Part part = slab.take(size);
            assertEquals(size, part.memory().byteSize());
            assertEquals(0, part.memory().address() % 64);
            assertEquals(0, part.memory().get(ValueLayout.JAVA_BYTE, size - 1));
            part.memory().fill((byte) (parts.size() + 1));
            parts.add(part);
        }
        assertThrows(IndexOutOfBoundsException.class, () -> slab.take(64));
        slab.seal();
        parts.get(1).close();
        parts.get(1).close(); // again does nothing
        parts.get(3).close();
        for (int i : new int[] {0, 2, 4, 5}) {
            MemorySegment memory = parts.get(i).memory();
            for (long at = 0; at < sizes[i]; at += Math.max(1, sizes[i] - 1)) {
                assertEquals(i + 1, memory.get(ValueLayout.JAVA_BYTE, at));
            }
        }
        MemorySegment last = parts.get(5).memory();
        for (int i : new int[] {0, 2, 4, 5}) {
            assertTrue(last.scope().isAlive());
            parts.get(i).close();
        }
        assertFalse(last.scope().isAlive());
    }

    @Test
    void shouldGiveThePagesOfAPartBack() throws IOException {
        Path statm = Path.of("/proc/self/statm");
        Assumptions.assumeTrue(Files.isReadable(statm), "no /proc on this system");
        PanelSlab slab = PanelSlab.allocate(128 * MIB);
        PanelSlab.Part first = slab.take(64 * MIB);
        PanelSlab.Part second = slab.take(64 * MIB);
        slab.seal();
        first.memory().fill((byte) 1);
        second.memory().fill((byte) 2);
        long before = residentBytes(statm);
        first.close();
        assertTrue(before - residentBytes(statm) > 48 * MIB, "resident memory of a part is given back");
        assertEquals(2, second.memory().get(ValueLayout.JAVA_BYTE, 0));
        second.close();
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker") // that the slab closes it is what is tested
    void shouldLetTheGivenMemoryGoWithTheLastPart() {
        Arena arena = Arena.ofShared();
        MemorySegment given = arena.allocate(1000, 64);
        given.set(ValueLayout.JAVA_BYTE, 640, (byte) 5);
        PanelSlab slab = new PanelSlab(given, arena);
        PanelSlab.Part first = slab.at(640, 100);
        PanelSlab.Part second = slab.at(0, 64);
        assertThrows(IndexOutOfBoundsException.class, () -> slab.at(960, 41));
        assertEquals(5, first.memory().get(ValueLayout.JAVA_BYTE, 0));
        slab.seal();
        second.close();
        assertTrue(arena.scope().isAlive());
        first.close();
        assertFalse(arena.scope().isAlive());
    }

    private static long residentBytes(Path statm) throws IOException {
        return Long.parseLong(Files.readString(statm).split(" ", -1)[1]) * 4096;
    }
}

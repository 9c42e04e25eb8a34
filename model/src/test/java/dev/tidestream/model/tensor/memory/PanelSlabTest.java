package dev.tidestream.model.tensor.memory;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
        PanelSlab slab = new PanelSlab(bytes);
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
        slab.seal(); // again does nothing
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
        PanelSlab slab = new PanelSlab(128 * MIB);
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
    @SuppressWarnings("MustBeClosedChecker") // the slab closes the arena
    void shouldUnmapAFileWithItsLastPart(@TempDir Path folder) throws IOException {
        byte[] bytes = new byte[(int) MIB];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i >> 12);
        }
        Path path = Files.write(folder.resolve("mapped"), bytes);
        PanelSlab.Part first;
        PanelSlab.Part second;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            Arena arena = Arena.ofShared();
            PanelSlab slab = new PanelSlab(channel.map(FileChannel.MapMode.READ_ONLY, 0, MIB, arena), arena);
            first = slab.take(4096, 500_000);
            second = slab.take(512 << 10, 512 << 10);
            assertThrows(IndexOutOfBoundsException.class, () -> slab.take(512 << 10, (512 << 10) + 1));
            slab.seal();
        }
        assertEquals(1, first.memory().get(ValueLayout.JAVA_BYTE, 0));
        first.close(); // its pages go, its neighbour's and the file stay
        assertEquals((byte) 128, second.memory().get(ValueLayout.JAVA_BYTE, 0));
        assertTrue(second.memory().scope().isAlive());
        second.close();
        assertFalse(second.memory().scope().isAlive());
        assertArrayEquals(bytes, Files.readAllBytes(path));
    }

    private static long residentBytes(Path statm) throws IOException {
        return Long.parseLong(Files.readString(statm).split(" ", -1)[1]) * 4096;
    }
}

package dev.tidestream.model.tensor.panel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.PanelBytes;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PageArena;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class PanelEditorTest {
    private static final int ROWS = 70; // three panels
    private static final int COLUMNS = 8192; // 1 MB a panel

    @Test
    void shouldCopyIntoPagesThatWereTouchedBefore() {
        try (Arena arena = Arena.ofConfined(); PageArena copies = new PageArena()) {
            PanelMatrix base = matrix(ROWS, arena);
            PanelEditor editor = new PanelEditor(base, copies);
            assertEquals(2, editor.pages());
            for (int page = 0; page < editor.pages(); page++) {
                editor.touch(page);
            }
            for (int panel = 0; panel < base.panels(); panel++) {
                editor.copy(panel);
            }
            assertArrayEquals(PanelBytes.all(base), PanelBytes.all(editor.matrix()));
            assertThrows(IndexOutOfBoundsException.class, () -> editor.touch(2));
        }
    }

    @Test
    void shouldHaveOnePageOfASmallMatrix() {
        try (Arena arena = Arena.ofConfined()) {
            assertEquals(1, new PanelEditor(matrix(1, arena), arena).pages());
        }
    }

    private static PanelMatrix matrix(int rows, Arena arena) {
        MemorySegment source = arena.allocate((long) rows * COLUMNS * Float.BYTES, Float.BYTES);
        SplittableRandom random = new SplittableRandom(1);
        for (long i = 0; i < (long) rows * COLUMNS; i++) {
            source.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat());
        }
        return PanelPacker.pack("w", TensorFormat.F32, rows, COLUMNS, source, arena, WorkerTeam.sequential());
    }
}

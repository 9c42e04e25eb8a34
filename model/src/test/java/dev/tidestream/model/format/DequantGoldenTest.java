package dev.tidestream.model.format;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;
import dev.tidestream.model.tensor.panel.PanelUnpacker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

/** The panels of all formats against values that others unpacked from the same bytes: exact, read row by row and by columns. */
class DequantGoldenTest {

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, mode = EnumSource.Mode.EXCLUDE, names = {"F32", "F16", "BF16"}) // these have infinities
    void shouldGiveTheGoldenElements(TensorFormat format) throws IOException {
        byte[] raw = Files.readAllBytes(SharedData.path("golden/dequant/" + format + ".bin"));
        byte[] golden = Files.readAllBytes(SharedData.path("golden/dequant/" + format + ".f32"));
        int blocks = golden.length / Float.BYTES / format.blockElements();
        for (int rows : new int[] {1, blocks}) {
            int columns = blocks / rows * format.blockElements();
            assertEquals(raw.length, format.format().fileBytes(rows, columns), "bytes of the file");
            byte[] byRows = new byte[golden.length];
            byte[] byColumns = new byte[golden.length];
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment source = arena.allocate(raw.length).copyFrom(MemorySegment.ofArray(raw));
                PanelMatrix w = PanelPacker.pack("w", format, rows, columns, source, arena, WorkerTeam.sequential());
                float[] row = new float[columns];
                float[] panel = new float[columns * PanelUnpacker.PANEL_ROWS];
                for (int r = 0; r < rows; r++) {
                    w.copyRow(r, row, 0);
                    copy(row, byRows, r * columns);
                    PanelUnpacker.unpack(w, r / PanelUnpacker.PANEL_ROWS, 0, columns, panel);
                    for (int k = 0; k < columns; k++) {
                        row[k] = panel[k * PanelUnpacker.PANEL_ROWS + r % PanelUnpacker.PANEL_ROWS];
                    }
                    copy(row, byColumns, r * columns);
                }
            }
            assertArrayEquals(golden, byRows, "rows=" + rows);
            assertArrayEquals(golden, byColumns, "columns, rows=" + rows);
        }
    }

    private static void copy(float[] from, byte[] to, int element) {
        MemorySegment.copy(from, 0, MemorySegment.ofArray(to), ValueLayout.JAVA_FLOAT_UNALIGNED, (long) element * Float.BYTES, from.length);
    }
}

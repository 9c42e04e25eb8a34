package dev.tidestream.model.tensor.panel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.RandomWeights;
import dev.tidestream.model.tensor.WorkerTeam;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class PanelUnpackerTest {

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldGiveTheBitsOfTheRows(TensorFormat format) {
        int rows = 75;
        int columns = format.superBlocks() ? 768 : 96;
        try (Arena arena = Arena.ofShared()) {
            MemorySegment source = RandomWeights.rowMajor(format, rows, columns, new SplittableRandom(1), arena);
            PanelMatrix matrix = PanelPacker.pack("w", format, rows, columns, source, arena, WorkerTeam.sequential());
            for (int panel = 0; panel < 3; panel++) {
                for (int from = 0; from < columns; from += 64) {
                    int to = Math.min(from + 64, columns);
                    float[] out = new float[64 * PanelUnpacker.PANEL_ROWS];
                    PanelUnpacker.unpack(matrix, panel, from, to, out);
                    for (int lane = 0; lane < 32; lane++) {
                        int row = panel * 32 + lane;
                        float[] expected = row < rows
                                ? RandomWeights.dequantised(format, source, row, columns) : new float[columns];
                        for (int k = from; k < to; k++) {
                            float actual = out[(k - from) * 32 + lane] + (row < rows ? -0f : 0f); // padding may be -0
                            assertEquals(expected[k], actual, "row %d, column %d".formatted(row, k));
                        }
                    }
                }
            }
            float[] tooShort = new float[1023];
            assertThrows(IndexOutOfBoundsException.class, () -> PanelUnpacker.unpack(matrix, 0, 0, 32, tooShort));
            assertThrows(IndexOutOfBoundsException.class, () -> PanelUnpacker.unpack(matrix, 3, 0, 32, new float[1024]));
            assertThrows(IndexOutOfBoundsException.class, () -> PanelUnpacker.unpack(matrix, 0, 1, 32, new float[1024]));
            assertThrows(IndexOutOfBoundsException.class, () -> PanelUnpacker.unpack(matrix, 0, 0, 33, new float[2048]));
            assertThrows(IndexOutOfBoundsException.class,
                    () -> PanelUnpacker.unpack(matrix, 0, columns, columns + 32, new float[1024]));
        }
    }
}

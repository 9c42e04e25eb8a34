package dev.tidestream.model.tensor;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

class PanelMatrixTest {
    private static final int ROWS = 75; // three panels, the last one with padding

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldShowItsFirstPanelsAsAMatrixOfFewerRows(TensorFormat format) {
        int columns = format.superBlocks() ? 512 : 96;
        try (Arena arena = Arena.ofConfined()) {
            PanelMatrix whole = matrix(format, columns, arena);
            PanelMatrix first = whole.first(2);
            assertEquals(64, first.rows());
            assertEquals(2, first.panels());
            assertEquals(whole.panelData().address(), first.panelData().address());
            float[] expected = new float[columns];
            float[] actual = new float[columns];
            for (int row = 0; row < first.rows(); row++) {
                whole.copyRow(row, expected, 0);
                first.copyRow(row, actual, 0);
                assertArrayEquals(expected, actual);
            }
            assertThrows(IndexOutOfBoundsException.class, () -> first.copyRow(64, actual, 0));
        }
    }

    @Test
    void shouldBeItselfIfNoMorePanelsAreThere() {
        try (Arena arena = Arena.ofConfined()) {
            PanelMatrix whole = matrix(TensorFormat.Q8_0, 96, arena);
            assertSame(whole, whole.first(3));
            assertSame(whole, whole.first(4));
            assertThrows(IllegalArgumentException.class, () -> whole.first(0));
        }
    }

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldShowItsFirstBlocksAsNarrowPanels(TensorFormat format) {
        int columns = format.superBlocks() ? 512 : 96;
        int narrowColumns = format.blockElements() == 1 ? 7 : format.blockElements();
        try (Arena arena = Arena.ofConfined()) {
            PanelMatrix whole = matrix(format, columns, arena);
            PanelMatrix narrow = whole.narrow(2, narrowColumns);
            assertEquals(64, narrow.rows());
            assertEquals(narrowColumns, narrow.columns());
            float[] expected = new float[columns];
            float[] actual = new float[narrowColumns];
            for (int row = 0; row < 64; row++) {
                whole.copyRow(row % 32, expected, 0);
                narrow.copyRow(row, actual, 0);
                int from = row / 32 * narrowColumns;
                assertArrayEquals(Arrays.copyOfRange(expected, from, from + narrowColumns), actual, "row " + row);
            }
        }
    }

    @Test
    void shouldKeepItsRowsWhereNarrowPanelsAreEnough() {
        try (Arena arena = Arena.ofConfined()) {
            PanelMatrix whole = matrix(TensorFormat.Q8_0, 96, arena);
            assertEquals(ROWS, whole.narrow(9, 32).rows());
            assertEquals(whole.panelData().byteSize(), whole.narrow(3, 96).bytes());
            assertThrows(IllegalArgumentException.class, () -> whole.narrow(0, 32));
            assertThrows(IllegalArgumentException.class, () -> whole.narrow(1, 128));
            assertThrows(IllegalArgumentException.class, () -> whole.narrow(1, 33));
        }
    }

    private static PanelMatrix matrix(TensorFormat format, int columns, Arena arena) {
        return PanelPacker.pack("w", format, ROWS, columns,
                RandomWeights.rowMajor(format, ROWS, columns, new SplittableRandom(1), arena), arena, WorkerTeam.sequential());
    }
}

package dev.tidestream.model.tensor;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** The panels of K-quants against values that others unpacked from the same bytes. */
class KQuantsTest {
    private static final int BLOCKS = 16;

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"})
    void shouldGiveTheGoldenElements(TensorFormat format) throws IOException {
        byte[] raw = Files.readAllBytes(SharedData.path("golden/dequant/" + format + ".bin"));
        byte[] golden = Files.readAllBytes(SharedData.path("golden/dequant/" + format + ".f32"));
        for (int rows : new int[] {1, BLOCKS}) {
            int columns = BLOCKS / rows * 256;
            byte[] actual = new byte[golden.length];
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment source = arena.allocate(raw.length).copyFrom(MemorySegment.ofArray(raw));
                PanelMatrix w = PanelPacker.pack("w", format, rows, columns, source, arena, WorkerTeam.sequential());
                float[] row = new float[columns];
                for (int r = 0; r < rows; r++) {
                    w.copyRow(r, row, 0);
                    MemorySegment.copy(row, 0, MemorySegment.ofArray(actual), ValueLayout.JAVA_FLOAT_UNALIGNED,
                            (long) r * columns * Float.BYTES, columns);
                }
            }
            assertArrayEquals(golden, actual, "rows=" + rows);
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"})
    void shouldStayWithinFourPercentOfTheFile(TensorFormat format) {
        double share = format.panelBytes(2048) / (32.0 * format.rowBytes(2048));
        assertEquals(1.0, share, 0.04);
    }

    @Test
    void shouldRefuseScalesThatAreNotFinite() {
        for (TensorFormat format : new TensorFormat[] {TensorFormat.Q4_K, TensorFormat.Q5_K, TensorFormat.Q6_K}) {
            for (int at : format == TensorFormat.Q6_K ? new int[] {208} : new int[] {0, 2}) {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment source = arena.allocate(2 * format.rowBytes(512));
                    source.set(PanelLayout.SHORT, 3L * format.blockBytes() + at, (short) 0xfc00);
                    var e = assertThrows(NonFiniteWeightException.class,
                            () -> PanelPacker.pack("w", format, 2, 512, source, arena, WorkerTeam.sequential()));
                    assertEquals("weight is not finite: tensor=w, row=1, column=256", e.getMessage());
                }
            }
        }
    }
}

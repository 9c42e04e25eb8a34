package dev.tidestream.model.tensor.panel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.tensor.NonFiniteWeightException;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.RandomWeights;
import dev.tidestream.model.tensor.WorkerTeam;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** The packed values against the plain reading of the format; whole panels, the last one, odd widths. */
class PanelPackerTest {

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldPackEveryElementOnce(TensorFormat format) {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        for (int rows : new int[] {1, 31, 32, 33, 64, 97}) {
            int columns = format.quantised() ? format.blockElements() * (1 + random.nextInt(3)) : 1 + random.nextInt(70);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment rowMajor = RandomWeights.rowMajor(format, rows, columns, random, arena);
                PanelMatrix packed = PanelPacker.pack("w", format, rows, columns, rowMajor, arena, WorkerTeam.sequential());
                float[] row = new float[columns];
                for (int r = 0; r < rows; r++) {
                    packed.copyRow(r, row, 0);
                    float[] expected = RandomWeights.dequantised(format, rowMajor, r, columns);
                    for (int k = 0; k < columns; k++) {
                        assertEquals(Float.floatToRawIntBits(expected[k]), Float.floatToRawIntBits(row[k]),
                                "seed=%d, rows=%d, columns=%d, row=%d, k=%d".formatted(seed, rows, columns, r, k));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldNameTheValueThatIsNotFinite(TensorFormat format) {
        int columns = format.quantised() ? 2 * format.blockElements() : 9;
        for (int row : format == TensorFormat.I2_S ? new int[] {0} : new int[] {0, 17, 31, 33}) { // one scale is that of all rows
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment rowMajor = RandomWeights.rowMajor(format, 40, columns, new SplittableRandom(1), arena);
                long at = (row + 1) * format.rowBytes(columns) - format.blockBytes(); // the last block of the row
                switch (format) {
                    case F32 -> rowMajor.set(PanelLayout.FLOAT, at, Float.NaN);
                    case BF16 -> rowMajor.set(PanelLayout.SHORT, at, (short) 0xff80);
                    case F16, Q8_0, Q4_0, IQ4_NL, Q4_K, Q5_K, Q5_0 -> rowMajor.set(PanelLayout.SHORT, at, (short) 0x7c00);
                    case Q4_1, Q5_1 -> rowMajor.set(PanelLayout.SHORT, at + 2, (short) 0xfc00);
                    case Q2_K -> rowMajor.set(PanelLayout.SHORT, at + 82, (short) 0x7c00);
                    case Q3_K -> rowMajor.set(PanelLayout.SHORT, at + 108, (short) 0x7c00);
                    case TQ1_0, TQ2_0 -> rowMajor.set(PanelLayout.SHORT, at + format.blockBytes() - Short.BYTES, (short) 0xfc00);
                    case I2_S -> rowMajor.set(PanelLayout.FLOAT, rowMajor.byteSize() - 32, Float.NaN); // of all rows
                    case Q6_K -> rowMajor.set(PanelLayout.SHORT, at + 208, (short) 0x7c01);
                }
                NonFiniteWeightException e = assertThrows(NonFiniteWeightException.class,
                        () -> PanelPacker.pack("w", format, 40, columns, rowMajor, arena, WorkerTeam.sequential()));
                int column = format == TensorFormat.I2_S ? 0 : columns - format.blockElements();
                assertEquals(new NonFiniteWeightException("w", row, column).getMessage(), e.getMessage());
            }
        }
    }
}

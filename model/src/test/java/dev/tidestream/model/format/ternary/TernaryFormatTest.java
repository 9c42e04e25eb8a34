package dev.tidestream.model.format.ternary;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.LaneBlock;
import dev.tidestream.model.format.base.PanelTile;
import dev.tidestream.model.format.base.QuantFormat;
import dev.tidestream.model.format.base.RowEncoder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

/** Encoding into ternary panels and taking them apart. */
class TernaryFormatTest {
    private static final long SEED = 20261130;

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"TQ1_0", "TQ2_0", "I2_S"})
    void shouldKeepTernaryValuesAndSayWhatChanged(TensorFormat format) {
        SplittableRandom random = new SplittableRandom(SEED);
        int columns = 512;
        int unit = format.blockElements();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment panel = arena.allocate(format.panelBytes(columns), 64);
            float[][] rows = new float[32][columns];
            RowEncoder encoder = format.format().encoder();
            for (int lane = 0; lane < 32; lane++) {
                for (int from = 0; from < columns; from += unit) {
                    float scale = random.nextInt(1, 64) / 32f; // an F16
                    float[] in = new float[unit];
                    for (int j = 0; j < unit; j++) {
                        in[j] = scale * (j == 3 ? 1 : random.nextInt(3) - 1);
                        rows[lane][from + j] = in[j];
                    }
                    assertEquals(1, encoder.write(panel, 0, lane, from, unit, in), "lane=" + lane);
                    assertEquals(0, encoder.write(panel, 0, lane, from, unit, in), "the same once more");
                }
            }
            for (int lane = 0; lane < 32; lane++) {
                float[] out = new float[columns];
                format.format().read(panel, 0, lane, 0, columns, out, 0);
                for (int k = 0; k < columns; k++) {
                    assertEquals(rows[lane][k] + 0f, out[k] + 0f, "lane=%d k=%d".formatted(lane, k)); // zeros have no sign of their own
                }
            }
        }
    }

    /** A half of the largest is the largest, ties away from zero; what is less is zero. */
    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"TQ1_0", "TQ2_0", "I2_S"})
    void shouldRoundToTheNearestOfThree(TensorFormat format) {
        int unit = format.blockElements();
        float[] in = new float[unit];
        float[] expected = new float[unit];
        float[] first = {-2f, 1f, -1f, 0.999f, -0.999f, 1.5f, -1.01f, 1e-30f};
        float[] rounded = {-2f, 2f, -2f, 0f, 0f, 2f, -2f, 0f};
        System.arraycopy(first, 0, in, 0, first.length);
        System.arraycopy(rounded, 0, expected, 0, first.length);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment panel = arena.allocate(format.panelBytes(unit), 64);
            float[] out = new float[unit];
            format.format().encoder().write(panel, 0, 17, 0, unit, in);
            format.format().read(panel, 0, 17, 0, unit, out, 0);
            for (int k = 0; k < unit; k++) {
                assertEquals(expected[k], out[k] + 0f, "k=" + k);
            }
            format.format().encoder().write(panel, 0, 17, 0, unit, new float[unit]);
            format.format().read(panel, 0, 17, 0, unit, out, 0);
            for (int k = 0; k < unit; k++) {
                assertEquals(0f, out[k] + 0f, "zeros, k=" + k);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"TQ1_0", "TQ2_0", "I2_S"})
    void shouldGiveATileTheNumbersOfItsLanes(TensorFormat format) {
        SplittableRandom random = new SplittableRandom(SEED + 1);
        QuantFormat quants = format.quants();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment unit = arena.allocate(format.shape().unitBytes(), 64);
            byte[] bits = new byte[format.shape().unitBytes()]; // all four codes
            random.nextBytes(bits);
            unit.copyFrom(MemorySegment.ofArray(bits));
            PanelTile tile = new PanelTile();
            LaneBlock one = new LaneBlock();
            for (int block = 0; block < format.shape().blocks(); block++) {
                quants.tile(unit, 0, block, tile);
                for (int lane = 0; lane < 32; lane++) {
                    quants.lane(unit, 0, lane, block, one);
                    byte[] column = new byte[32];
                    for (int j = 0; j < 32; j++) {
                        column[j] = tile.quants[j * 32 + (lane < 16 ? 2 * lane : 2 * (lane - 16) + 1)];
                    }
                    assertArrayEquals(one.quants, column, "block=%d lane=%d".formatted(block, lane));
                    assertEquals(one.d, tile.d[lane]);
                }
            }
        }
    }
}

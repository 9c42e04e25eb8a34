package dev.tidestream.model.kernels.vector.batch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.kernels.vector.base.Scratch;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.RandomWeights;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

/** The path that any format has, against the oracle to the bit: also of formats that have kernels of their own and never take it. */
class VectorTilePathTest {
    private static final long SEED = 20261130;
    private static final int ROWS = 75; // the last panel is not full

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldGiveTheBitsOfTheOracle(TensorFormat format) {
        SplittableRandom random = new SplittableRandom(SEED);
        int columns = format.superBlocks() ? 2 * format.blockElements() : format.quantised() ? 3 * format.blockElements() : 71;
        try (Arena arena = Arena.ofShared()) {
            MemorySegment source = RandomWeights.rowMajor(format, ROWS, columns, random, arena);
            PanelMatrix w = PanelPacker.pack("w", format, ROWS, columns, source, arena, WorkerTeam.sequential());
            for (int batch : new int[] {1, 2, 4, 5, 8, 13, 17}) {
                for (boolean int8 : format.quantised() ? new boolean[] {false, true} : new boolean[] {false}) {
                    Activations x = new Activations(batch, columns);
                    x.reset(batch);
                    for (int i = 0; i < batch * columns; i++) {
                        x.values()[i] = (float) (random.nextGaussian() * Math.scalb(1.0, random.nextInt(-8, 8)));
                    }
                    if (int8) {
                        x.quantise(KernelSelection.scalar(), WorkerTeam.sequential());
                    }
                    float[] expected = new float[batch * ROWS];
                    KernelSelection.scalar().multiply(w, x, expected, ROWS, 0, 0, w.panels());
                    float[] actual = new float[batch * ROWS];
                    VectorTilePath.panels(w, x, Scratch.ofThread(), actual, ROWS, 0, 0, w.panels());
                    assertArrayEquals(bits(expected), bits(actual), "seed=%d, batch=%d, int8=%b".formatted(SEED, batch, int8));
                }
            }
        }
    }

    private static int[] bits(float[] values) {
        int[] out = new int[values.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = Float.floatToRawIntBits(values[i]);
        }
        return out;
    }
}

package dev.tidestream.model.kernels.vector.base;

import java.util.SplittableRandom;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.kernels.scalar.ScalarQuants;
import dev.tidestream.model.kernels.vector.VectorKernels;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.WorkerTeam;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** The layouts of quants that kernels in the Vector API read, against the quants one by one. */
class VectorQuantsTest {
    private static final long SEED = 20261124;
    private static final int COLUMNS = 96;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 8, 11, 16, 17})
    void shouldLayOutTheQuants(int rows) {
        SplittableRandom random = new SplittableRandom(SEED);
        Activations x = new Activations(17, COLUMNS);
        x.reset(rows);
        for (int i = 0; i < rows * COLUMNS; i++) {
            x.values()[i] = (float) (random.nextGaussian() * Math.scalb(1.0, random.nextInt(-20, 20)));
        }
        x.quantise(VectorKernels.INSTANCE, WorkerTeam.sequential());
        for (int b = 0; b < rows; b++) {
            for (int block = 0; block < COLUMNS / 32; block++) {
                assertBlock(x, b, block);
            }
        }
    }

    private static void assertBlock(Activations x, int b, int block) {
        String at = "seed=%d, rows=%d, b=%d, block=%d".formatted(SEED, x.rows(), b, block);
        VectorQuants actual = VectorQuants.of(x);
        ScalarQuants expected = ScalarQuants.of(x);
        int place = actual.quantsAt(b, block);
        for (int j = 0; j < 32; j++) {
            int quant = expected.quant(b, block * 32 + j);
            assertEquals(quant, actual.quants()[place + j], at);
            assertEquals(quant, (short) (actual.columnPairs()[(place + j) / 2] >> (16 * (j % 2))), at);
            if (x.rows() == 1) {
                assertEquals(both(quant), actual.quantPairs()[place + j], at);
            } else if (x.rows() <= VectorQuants.LINE_ROWS) {
                int line = j < 16 ? quant : quant - 16 * expected.quant(b, block * 32 + j - 16);
                assertEquals(both(line), actual.lineQuants()[place + j], at);
            }
        }
        int sum = expected.sum(b, block);
        assertEquals(expected.scale(b, block), actual.scales()[actual.blockAt(b, block)], at);
        assertEquals(sum, actual.sums()[actual.blockAt(b, block)], at);
        assertEquals((float) -sum, actual.minusSums()[actual.blockAt(b, block)], at);
    }

    private static int both(int quant) {
        return (quant & 0xffff) | (quant << 16);
    }
}

package dev.tidestream.model.tensor;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.kernels.jit.RecordWriterTest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** int8 codes against their definition, one value at a time, and the layouts in which kernels read them. */
class ActivationsTest {
    private static final long SEED = 20261124;
    private static final int COLUMNS = 96;

    @Test
    void shouldRoundToTheNearestCode() {
        for (int rows : new int[] {1, 2, 3, 4, 5, 8, 11}) {
            SplittableRandom random = new SplittableRandom(SEED);
            Activations x = filled(11, rows, random);
            x.quantise(WorkerTeam.sequential());
            for (int b = 0; b < rows; b++) {
                for (int block = 0; block < COLUMNS / 32; block++) {
                    assertBlock(x, b, block);
                }
            }
        }
    }

    @Test
    void shouldGiveARowTheSameCodesAloneAndAmongOthers() {
        Activations many = filled(9, 9, new SplittableRandom(SEED + 1));
        many.quantise(WorkerTeam.sequential());
        for (int b = 0; b < 9; b++) {
            Activations alone = new Activations(1, COLUMNS);
            alone.reset(1);
            System.arraycopy(many.values(), b * COLUMNS, alone.values(), 0, COLUMNS);
            alone.quantise(WorkerTeam.sequential());
            for (int k = 0; k < COLUMNS; k++) {
                assertEquals(many.code(b, k), alone.code(0, k), "seed=%d, b=%d, k=%d".formatted(SEED + 1, b, k));
            }
        }
    }

    @Test
    void shouldMakeZeroOfWhatHasNoCode() {
        Activations x = new Activations(2, COLUMNS);
        x.reset(2);
        Arrays.fill(x.values(), 0, 32, Float.MIN_VALUE);
        x.values()[40] = Float.NaN;
        x.values()[41] = 1f;
        x.values()[70] = Float.POSITIVE_INFINITY;
        x.values()[71] = -1f;
        x.quantise(WorkerTeam.sequential());
        for (int k = 0; k < 2 * COLUMNS; k++) {
            assertEquals(0, x.code(k / COLUMNS, k % COLUMNS), "k=" + k);
        }
        assertEquals(Float.MIN_VALUE / 127f, x.scales()[x.blockAt(0, 0)]);
        assertEquals(Float.NaN, x.scales()[x.blockAt(0, 1)]);
        assertEquals(Float.POSITIVE_INFINITY, x.scales()[x.blockAt(0, 2)]);
        assertEquals(0f, x.scales()[x.blockAt(1, 0)]);
    }

    @Test
    void shouldRefuseToQuantisePartsOfABlock() {
        Activations x = new Activations(2, 40);
        x.reset(2);
        var e = assertThrows(IllegalStateException.class, () -> x.quantise(WorkerTeam.sequential()));
        assertEquals("columns=40 is no multiple of 32", e.getMessage());
    }

    /** The first ask makes forms; from then on they come with the records. */
    @Test
    void shouldMakeRecordsAndFormsAnew() {
        SplittableRandom random = new SplittableRandom(SEED + 2);
        Activations x = new Activations(11, COLUMNS);
        for (int rows : new int[] {5, 1, 11, 2}) {
            x.reset(rows);
            for (int time = 0; time < 2; time++) { // the second without a reset
                for (int i = 0; i < rows * COLUMNS; i++) {
                    x.values()[i] = (float) random.nextGaussian();
                }
                x.quantise(WorkerTeam.sequential());
                RecordWriterTest.assertRecords(x);
                for (int b = 0; b < rows; b++) {
                    for (int block = 0; block < COLUMNS / 32; block++) {
                        assertBlock(x, b, block);
                    }
                }
            }
        }
    }

    @Test
    void shouldMakeTheSameFormsWhoeverAsksFirst() throws Exception {
        Activations expected = filled(9, 9, new SplittableRandom(SEED + 3));
        expected.quantise(WorkerTeam.sequential());
        int sums = Arrays.hashCode(expected.sums());
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            for (int time = 0; time < 50; time++) {
                Activations x = filled(9, 9, new SplittableRandom(SEED + 3));
                x.quantise(WorkerTeam.sequential());
                List<Callable<Integer>> asks = Collections.nCopies(4, () -> Arrays.hashCode(x.sums()));
                for (Future<Integer> answer : threads.invokeAll(asks)) {
                    assertEquals(sums, answer.get());
                }
            }
        }
    }

    private static Activations filled(int maxRows, int rows, SplittableRandom random) {
        Activations x = new Activations(maxRows, COLUMNS);
        x.reset(rows);
        for (int i = 0; i < rows * COLUMNS; i++) {
            x.values()[i] = (float) (random.nextGaussian() * Math.scalb(1.0, random.nextInt(-20, 20)));
        }
        for (int j = 0; j < 32; j++) { // codes that end in .5
            x.values()[j] = j == 0 ? 127f : j - 16.5f;
        }
        return x;
    }

    private static void assertBlock(Activations x, int b, int block) {
        String at = "seed=%d, rows=%d, b=%d, block=%d".formatted(SEED, x.rows(), b, block);
        int from = b * COLUMNS + block * 32;
        float max = 0f;
        for (int j = 0; j < 32; j++) {
            max = Math.max(max, Math.abs(x.values()[from + j]));
        }
        int sum = 0;
        for (int j = 0; j < 32; j++) {
            int code = (int) Math.rint(x.values()[from + j] * (127f / max));
            int place = x.codesAt(b, block) + j;
            assertEquals(code, x.code(b, block * 32 + j), at);
            assertEquals(code, (short) (x.columnPairs()[place / 2] >> (16 * (j % 2))), at);
            if (x.rows() == 1) {
                assertEquals((code & 0xffff) | (code << 16), x.codePairs()[place], at);
            }
            sum += code;
        }
        assertEquals(max / 127f, x.scales()[x.blockAt(b, block)], at);
        assertEquals(sum, x.sums()[x.blockAt(b, block)], at);
        assertEquals((float) -sum, x.minusSums()[x.blockAt(b, block)], at);
    }
}

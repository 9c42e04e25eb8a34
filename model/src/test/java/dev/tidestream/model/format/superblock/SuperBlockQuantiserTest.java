package dev.tidestream.model.format.superblock;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class SuperBlockQuantiserTest {
    private static final long SEED = 20261124;
    private static final int COLUMNS = 256;

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"})
    void shouldStayWithinAStepOfItsValues(TensorFormat format) {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int n = 0; n < 200; n++) {
            double magnitude = Math.pow(10, random.nextDouble(-1, 4)) /* below, the scale's own steps count */;
            double shift = n % 3 == 0 ? random.nextGaussian() * magnitude : 0;
            float[] x = new float[COLUMNS];
            for (int k = 0; k < COLUMNS; k++) {
                x[k] = (float) (random.nextGaussian() * magnitude + shift);
            }
            float[] stored = roundTrip(format, x);
            double range = range(x);
            // a step of the coarsest block, half of it to each side, and what 6 or 8 bits for its scale and minimum add
            double step = range / (largest(format) + 1 - least(format) - (format.rounding().minima() ? 1 : 2));
            for (int k = 0; k < COLUMNS; k++) {
                assertEquals(x[k], stored[k], 1.6 * step, "seed=%d n=%d k=%d range=%s".formatted(SEED, n, k, range));
            }
        }
    }

    /** Half a step is what a scale from the extremes alone would give; the search must do better on the whole. */
    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"})
    void shouldLoseLessThanScalesFromTheExtremes(TensorFormat format) {
        SplittableRandom random = new SplittableRandom(SEED + 1);
        double searched = 0;
        double plain = 0;
        for (int n = 0; n < 200; n++) {
            float[] x = new float[COLUMNS];
            for (int k = 0; k < COLUMNS; k++) {
                x[k] = (float) random.nextGaussian();
            }
            float[] stored = roundTrip(format, x);
            for (int k = 0; k < COLUMNS; k++) {
                searched += Math.pow((double) stored[k] - x[k], 2);
            }
            plain += extremes(format, x);
        }
        assertTrue(searched < plain, "searched=%s plain=%s".formatted(searched, plain));
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"})
    void shouldStoreZerosAsZeros(TensorFormat format) {
        assertArrayEquals(new float[COLUMNS], roundTrip(format, new float[COLUMNS]));
        float[] tiny = new float[COLUMNS];
        Arrays.fill(tiny, Float.MIN_VALUE);
        assertArrayEquals(new float[COLUMNS], roundTrip(format, tiny));
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"})
    void shouldStoreConstantsOfEitherSign(TensorFormat format) {
        for (float value : new float[] {1, -1, 1000, -0.1f}) {
            float[] x = new float[COLUMNS];
            Arrays.fill(x, value);
            for (float stored : roundTrip(format, x)) {
                assertEquals(value, stored, Math.abs(value) * 0.02);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"})
    void shouldSayWhatIsTooLargeByAnInfiniteScale(TensorFormat format) {
        float[] x = new float[COLUMNS];
        x[77] = -Float.MAX_VALUE;
        x[78] = Float.MAX_VALUE;
        SuperBlock block = new SuperBlock();
        of(format).encode(x, block, new SuperBlockQuantiser());
        assertFalse(block.finite());
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"})
    void shouldKeepFieldsInTheirRanges(TensorFormat format) {
        SplittableRandom random = new SplittableRandom(SEED + 2);
        SuperBlockQuantiser quantiser = new SuperBlockQuantiser();
        SuperBlock block = new SuperBlock();
        int least = least(format);
        int most = largest(format);
        for (int n = 0; n < 500; n++) {
            float[] x = new float[COLUMNS];
            for (int k = 0; k < COLUMNS; k++) {
                x[k] = random.nextInt(4) == 0 ? 0 : (float) Math.scalb(random.nextGaussian(), random.nextInt(-20, 10));
            }
            of(format).encode(x, block, quantiser);
            for (int k = 0; k < COLUMNS; k++) {
                assertTrue(block.quants[k] >= least && block.quants[k] <= most, "seed=%d n=%d k=%d".formatted(SEED, n, k));
            }
            for (byte scale : block.scales) {
                assertTrue(switch (format) {
                    case Q4_K, Q5_K -> scale >= 0 && scale <= 63;
                    case Q3_K -> scale >= -32 && scale <= 31;
                    default -> true; // all bits are used
                }, "seed=%d n=%d".formatted(SEED, n));
            }
        }
    }

    private static float[] roundTrip(TensorFormat format, float[] x) {
        SuperBlock block = new SuperBlock();
        of(format).encode(x, block, new SuperBlockQuantiser());
        float[] out = new float[COLUMNS];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment panel = arena.allocate(format.shape().unitBytes());
            of(format).put(panel, 0, 7, block);
            of(format).read(panel, 0, 7, 0, COLUMNS, out, 0);
        }
        return out;
    }

    private static int largest(TensorFormat format) {
        return switch (format) {
            case Q2_K, Q3_K -> 3;
            case Q4_K -> 15;
            default -> 31;
        };
    }

    private static int least(TensorFormat format) {
        return format.rounding().minima() ? 0 : -largest(format) - 1;
    }

    private static SuperBlockFormat of(TensorFormat format) {
        return (SuperBlockFormat) format.format();
    }

    /** Squared error with exact scales: from minimum to maximum of 32 values, or from the largest of 16. */
    private static double extremes(TensorFormat format, float[] x) {
        double sum = 0;
        int width = format == TensorFormat.Q4_K || format == TensorFormat.Q5_K ? 32 : 16;
        for (int from = 0; from < COLUMNS; from += width) {
            double least = 0;
            double most = 0;
            for (int j = 0; j < width; j++) {
                least = Math.min(least, x[from + j]);
                most = Math.max(most, x[from + j]);
            }
            int top = largest(format);
            double step = format.rounding().minima() ? (most - least) / top : Math.max(-least, most) / (top + 1);
            double offset = format.rounding().minima() ? least : 0;
            for (int j = 0; j < width; j++) {
                double q = Math.min(top, Math.rint((x[from + j] - offset) / step));
                sum += Math.pow(q * step + offset - x[from + j], 2);
            }
        }
        return sum;
    }

    private static double range(float[] x) {
        double least = 0;
        double most = 0;
        for (float value : x) {
            least = Math.min(least, value);
            most = Math.max(most, value);
        }
        return most - least;
    }
}

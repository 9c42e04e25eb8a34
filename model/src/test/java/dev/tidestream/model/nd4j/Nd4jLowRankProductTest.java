package dev.tidestream.model.nd4j;

import java.util.SplittableRandom;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.patch.LowRankProduct;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class Nd4jLowRankProductTest {
    private final LowRankProduct product = new Nd4jLowRankProduct();

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "32, 8, 2048", "5, 3, 37", "32, 16, 97", "31, 1, 64"})
    void shouldMultiply(int rows, int rank, int columns) {
        float[] a = random(rows * rank, 1);
        float[] b = random(rank * columns, 2);
        float[] out = random(rows * columns, 3); // what was there before does not matter
        out[0] = Float.NaN;
        product.multiply(a, rows, rank, b, columns, out);
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                double exact = 0;
                double magnitude = 0;
                for (int k = 0; k < rank; k++) {
                    double term = (double) a[i * rank + k] * b[k * columns + j];
                    exact += term;
                    magnitude += Math.abs(term);
                }
                assertEquals(exact, out[i * columns + j], 2 * rank * 0x1p-24 * magnitude, "row %d, column %d".formatted(i, j));
            }
        }
    }

    @Test
    void shouldGiveTheSameBitsOnEveryThread() {
        float[] a = random(32 * 16, 1);
        float[] b = random(16 * 515, 2);
        float[] expected = new float[32 * 515];
        product.multiply(a, 32, 16, b, 515, expected);
        IntStream.range(0, 200).parallel().forEach(i -> {
            float[] out = new float[32 * 515 + i % 3];
            product.multiply(a, 32, 16, b, 515, out);
            for (int j = 0; j < expected.length; j++) {
                assertEquals(expected[j], out[j], "call %d, element %d".formatted(i, j));
            }
        });
    }

    @Test
    void shouldRefuseArraysThatAreTooShort() {
        float[] untouched = new float[5];
        assertEquals("no product (2, 2) · (2, 3): a=4, b=6, out=5", assertThrows(IllegalArgumentException.class,
                () -> product.multiply(new float[4], 2, 2, new float[6], 3, untouched)).getMessage());
        assertThrows(IllegalArgumentException.class, () -> product.multiply(new float[3], 2, 2, new float[6], 3, new float[6]));
        assertThrows(IllegalArgumentException.class, () -> product.multiply(new float[4], 2, 2, new float[5], 3, new float[6]));
        assertThrows(IllegalArgumentException.class, () -> product.multiply(new float[4], 0, 2, new float[6], 3, new float[6]));
        assertArrayEquals(new float[5], untouched);
    }

    private static float[] random(int length, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}

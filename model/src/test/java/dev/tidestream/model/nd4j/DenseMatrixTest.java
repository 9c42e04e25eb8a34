package dev.tidestream.model.nd4j;

import java.lang.foreign.ValueLayout;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.factory.Nd4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class DenseMatrixTest {

    @Test
    void shouldBeAnArrayOfNd4jOverItsOwnMemory() {
        try (DenseMatrix matrix = new DenseMatrix(3, 5)) {
            matrix.data().setAtIndex(ValueLayout.JAVA_FLOAT, 7, 4.5f);
            assertEquals(4.5f, matrix.array().getFloat(1, 2));
            assertEquals(4.5f, matrix.array().transpose().getFloat(2, 1));
            assertEquals(matrix.data().address(), matrix.array().data().address());
            assertEquals(0, matrix.data().address() % 64);
            assertEquals(60, matrix.bytes());
        }
    }

    @Test
    void shouldGiveItsMemoryBack() {
        DenseMatrix matrix = new DenseMatrix(1024, 1024);
        assertFalse(matrix.array().wasClosed());
        matrix.close();
        assertTrue(matrix.array().wasClosed());
        assertFalse(matrix.data().scope().isAlive());
    }

    @Test
    void shouldRefuseMoreElementsThanNd4jWasTriedWith() {
        assertEquals("too large for a dense layout: rows=65536, columns=32768, elements=2147483648, limit=2147483647",
                assertThrows(Nd4jException.class, () -> new DenseMatrix(65_536, 32_768)).getMessage());
        assertThrows(ArithmeticException.class, () -> new DenseMatrix(Long.MAX_VALUE, 2));
    }

    @Test
    void shouldRunNd4jOnOneThreadWithoutLimitsAndWithoutACollector() {
        Nd4jRuntime.start();
        assertEquals(1, Nd4j.factory().blas().getMaxThreads());
        assertEquals("0", System.getProperty("org.bytedeco.javacpp.maxbytes"));
        assertEquals("0", System.getProperty("org.bytedeco.javacpp.maxphysicalbytes"));
        assertEquals("true", System.getProperty("org.bytedeco.javacpp.nopointergc"));
    }
}

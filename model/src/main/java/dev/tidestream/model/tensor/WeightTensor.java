package dev.tidestream.model.tensor;

import java.util.List;

import dev.tidestream.model.format.TensorFormat;

/** One tensor as a model holds it. Immutable by agreement; any thread. */
public sealed interface WeightTensor {

    /** The format its values are rounded to. */
    TensorFormat format();

    /** Row-major: {@code (rows, columns)} or {@code (n)}. */
    List<Long> shape();

    /** Bytes of memory held, padding included. */
    long bytes();

    /**
     * A matrix in panels, off-heap.
     *
     * @param panels {@code (rows, columns)}; lives as long as the arena it was allocated from
     */
    record Matrix(PanelMatrix panels) implements WeightTensor {
        @Override
        public TensorFormat format() {
            return panels.format();
        }

        @Override
        public List<Long> shape() {
            return List.of((long) panels.rows(), (long) panels.columns());
        }

        @Override
        public long bytes() {
            return panels.bytes();
        }
    }

    /**
     * A small tensor (a norm), computed with as float32.
     *
     * @param format of the file, which is not quantised: F32, F16 or BF16
     * @param values {@code (n)}, each of them a value of {@code format}; nobody writes to it
     */
    record Vector(TensorFormat format, float[] values) implements WeightTensor {
        public Vector {
            if (format.quantised() || values.length == 0) {
                throw new IllegalArgumentException(
                        "a vector needs values, and cannot be quantised: format=%s, length=%d".formatted(format, values.length));
            }
        }

        @Override
        public List<Long> shape() {
            return List.of((long) values.length);
        }

        @Override
        public long bytes() {
            return (long) values.length * Float.BYTES;
        }
    }
}

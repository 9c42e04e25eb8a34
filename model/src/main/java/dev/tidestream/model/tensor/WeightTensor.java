package dev.tidestream.model.tensor;

import java.util.List;

/** A tensor as a model holds it: a matrix in panels, or a vector (a norm, say) on the heap. Immutable by agreement. */
public sealed interface WeightTensor {

    /** The format it is stored in. */
    TensorFormat format();

    /** {@code (rows, columns)} or {@code (n)}, slowest first. */
    List<Long> shape();

    /** Bytes held. */
    long bytes();

    /** A weight matrix; lives as long as the arena that its panels came from. */
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
     * A vector, widened to float32.
     *
     * @param format it has in its file; every value can be stored in it
     * @param values (n)
     */
    record Vector(TensorFormat format, float[] values) implements WeightTensor {
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

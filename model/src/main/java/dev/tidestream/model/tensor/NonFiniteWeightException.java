package dev.tidestream.model.tensor;

import java.io.Serial;

import dev.tidestream.model.format.TensorFormat;

/** A weight, or the scale of a block of weights, is infinite or NaN; or would be, in the format that it is brought into. */
public final class NonFiniteWeightException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** @param tensor name of the tensor */
    public NonFiniteWeightException(String tensor, int row, int column) {
        this("weight is not finite: tensor=%s, row=%d, column=%d".formatted(tensor, row, column));
    }

    private NonFiniteWeightException(String message) {
        super(message);
    }

    /**
     * A weight that a format has no number for.
     *
     * @param column the first of some that are encoded together
     * @param largest of them, by magnitude
     */
    public static NonFiniteWeightException tooLarge(String tensor, TensorFormat format, int row, int column, int columns, float largest) {
        return new NonFiniteWeightException("weight is too large for %s: tensor=%s, row=%d, columns=%d..%d, value=%s"
                .formatted(format, tensor, row, column, column + columns - 1, largest));
    }
}

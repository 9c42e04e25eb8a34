package dev.tidestream.model.tensor;

import java.io.Serial;

/** A weight, or the scale of a block of weights, is infinite or NaN. */
public final class NonFiniteWeightException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public NonFiniteWeightException(String tensor, int row, int column) {
        super("weight is not finite: tensor=%s, row=%d, column=%d".formatted(tensor, row, column));
    }
}

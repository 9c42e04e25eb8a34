package dev.tidestream.model.tied;

import java.io.Serial;

/** What can be wrong with a tied embedding, one type per kind; messages name the values. */
public abstract sealed class TiedWeightException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private TiedWeightException(String message) {
        super(message);
    }

    private TiedWeightException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The weight is not a matrix {@code [vocab, hidden]} with both at least 1, or its format cannot be used. */
    public static final class InvalidTiedWeightShape extends TiedWeightException {
        @Serial
        private static final long serialVersionUID = 1L;

        InvalidTiedWeightShape(String message) {
            super(message);
        }
    }

    /** A token id, or a hidden state, that does not fit the weight. */
    public static final class DimensionMismatch extends TiedWeightException {
        @Serial
        private static final long serialVersionUID = 1L;

        DimensionMismatch(String message) {
            super(message);
        }
    }

    /** The place for the logits does not hold {@code [n, vocab]}. */
    public static final class InvalidLogitsShape extends TiedWeightException {
        @Serial
        private static final long serialVersionUID = 1L;

        InvalidLogitsShape(String message) {
            super(message);
        }
    }

    /** The model has an output matrix of its own, so there is nothing tied to work on. */
    public static final class NoTiedWeights extends TiedWeightException {
        @Serial
        private static final long serialVersionUID = 1L;

        /** For a caller that asks for what only tied weights have. */
        public NoTiedWeights(String message) {
            super(message);
        }
    }

    /** A head mode cannot be had on this system or for this weight: no native library, no memory, too many elements. */
    public static final class HeadModeUnavailable extends TiedWeightException {
        @Serial
        private static final long serialVersionUID = 1L;

        HeadModeUnavailable(String message, Throwable cause) {
            super(message, cause);
        }
    }
}

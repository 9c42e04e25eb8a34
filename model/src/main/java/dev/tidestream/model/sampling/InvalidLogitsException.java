package dev.tidestream.model.sampling;

/**
 * No token can be chosen from a row of logits: one is not a number or +infinity, or all are -infinity. Means broken weights or
 * a bias that bans every token; the sequence cannot go on.
 */
public final class InvalidLogitsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int index;

    InvalidLogitsException(int index, String message) {
        super(message);
        this.index = index;
    }

    /** The token id of the first bad logit; -1 if all tokens are banned. */
    public int index() {
        return index;
    }
}

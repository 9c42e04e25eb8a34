package dev.tidestream.model.sampling;

/** A sampling parameter is out of its range. The message begins with the field, named as on the wire, and has the value. */
public final class InvalidSamplingException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final String field;

    public InvalidSamplingException(String field, String problem) {
        super(field + " " + problem);
        this.field = field;
    }

    /** The field as on the wire, such as {@code top_p}. */
    public String field() {
        return field;
    }
}

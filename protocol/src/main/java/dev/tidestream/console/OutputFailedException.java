package dev.tidestream.console;

import java.io.IOException;
import java.io.Serial;

/** Standard output takes no more text: the command ends, with exit code 1. */
public final class OutputFailedException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private static final String BROKEN_PIPE = "Broken pipe"; // EPIPE, as the system says it

    private final boolean readerHasGone;

    OutputFailedException(IOException cause) {
        super("cannot write to standard output: " + Reasons.of(cause), cause);
        readerHasGone = BROKEN_PIPE.equals(cause.getMessage());
    }

    /** Whether nobody reads any more, as after {@code | head}: nothing to complain about. */
    public boolean readerHasGone() {
        return readerHasGone;
    }
}

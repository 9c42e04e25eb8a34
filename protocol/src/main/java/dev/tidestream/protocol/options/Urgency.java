package dev.tidestream.protocol.options;

/**
 * How soon a stream is wanted.
 *
 * @param priority before whom it comes
 * @param deadlineMs milliseconds from the arrival of the request until the last token must be there, at least 1; {@link #NO_DEADLINE}: any time
 */
public record Urgency(Priority priority, long deadlineMs) {
    /** In the place of a deadline: none. */
    public static final long NO_DEADLINE = 0;

    /** Interactive, without a deadline. */
    public static final Urgency DEFAULT = new Urgency(Priority.INTERACTIVE, NO_DEADLINE);

    public Urgency {
        if (deadlineMs < 0) {
            throw new IllegalArgumentException("deadline_ms must be at least 1, or 0 for none: deadline_ms=" + deadlineMs);
        }
    }

    /** The same with the earlier of its deadline and another; {@link #NO_DEADLINE} is later than any. */
    public Urgency within(long otherDeadlineMs) {
        boolean earlier = otherDeadlineMs != NO_DEADLINE && (!hasDeadline() || otherDeadlineMs < deadlineMs);
        return earlier ? new Urgency(priority, otherDeadlineMs) : this;
    }

    /** Whether it has to be done in time. */
    public boolean hasDeadline() {
        return deadlineMs != NO_DEADLINE;
    }
}

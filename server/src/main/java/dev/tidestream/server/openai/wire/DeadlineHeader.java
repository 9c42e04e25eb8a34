package dev.tidestream.server.openai.wire;

import java.util.List;

import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.transport.http.JsonAnswer;

/** A header that says what {@code tidestream.deadline_ms} says: a proxy, or a client's library, can add it without a look into the body. */
public final class DeadlineHeader {
    /** In any case. */
    public static final String NAME = "x-request-deadline-ms";

    private static final int MAX_DIGITS = 8; // of a day

    private DeadlineHeader() {}

    /**
     * Milliseconds from the arrival of the request to the last token; {@link Urgency#NO_DEADLINE} if there is no such header.
     *
     * @param values of all headers of that name
     * @throws BadRequestException if it is not one whole number in bounds
     */
    public static long of(List<String> values) throws BadRequestException {
        if (values.isEmpty()) {
            return Urgency.NO_DEADLINE;
        }
        String text = String.join(", ", values);
        boolean number = !text.isEmpty() && text.length() <= MAX_DIGITS && text.chars().allMatch(c -> c >= '0' && c <= '9');
        int ms = number ? Integer.parseInt(text) : 0;
        if (ms < 1 || ms > Protocol.MAX_DEADLINE_MS) {
            throw BadRequestException.of("invalid_value", NAME, "%s must be a whole number, 1..%d: %s"
                    .formatted(NAME, Protocol.MAX_DEADLINE_MS, JsonAnswer.shown(text)));
        }
        return ms;
    }
}

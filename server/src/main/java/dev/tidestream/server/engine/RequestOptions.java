package dev.tidestream.server.engine;

import dev.tidestream.protocol.Urgency;

/**
 * What may be asked of a stream beside its tokens.
 *
 * @param receipt whether its end has {@link Evidence} for a receipt
 * @param urgency before whom it comes, and how long it may take
 */
public record RequestOptions(boolean receipt, Urgency urgency) {
    /** Nothing of it. */
    public static final RequestOptions NONE = new RequestOptions(false, Urgency.DEFAULT);
}

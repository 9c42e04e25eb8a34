package dev.tidestream.server.engine;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.StreamOptions;
import dev.tidestream.protocol.Urgency;
import dev.tidestream.server.tracing.RequestTrace;

/**
 * What may be asked of a stream beside its tokens.
 *
 * @param receipt whether its end has {@link Evidence} for a receipt
 * @param urgency before whom it comes, and how long it may take
 * @param adapter name of the adapter that it is computed with; null for the model alone
 * @param trace where it belongs in its caller's trace
 */
public record RequestOptions(boolean receipt, Urgency urgency, @Nullable String adapter, RequestTrace trace) {
    /** Nothing of it. */
    public static final RequestOptions NONE = new RequestOptions(false, Urgency.DEFAULT, null, RequestTrace.NONE);

    /** The same, computed with an adapter. */
    public RequestOptions withAdapter(@Nullable String name) {
        return new RequestOptions(receipt, urgency, name, trace);
    }

    /** What a message asks for. */
    public static RequestOptions of(ClientMessage.Generate message) {
        StreamOptions asked = message.options();
        RequestTrace trace = RequestTrace.of(asked.traceparent(), asked.tracestate());
        return new RequestOptions(asked.receipt(), asked.urgency(), asked.adapter(), message.messages().isEmpty() ? trace : trace.asChat());
    }
}

package dev.tidestream.server.engine;

import java.time.LocalDateTime;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.options.StreamOptions;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.tracing.RequestTrace;

/**
 * What may be asked of a stream beside its tokens.
 *
 * @param receipt whether its end has {@link Evidence} for a receipt
 * @param urgency before whom it comes, and how long it may take
 * @param adapter name of the adapter that it is computed with; null for the model alone
 * @param trace where it belongs in its caller's trace
 * @param renderedAt of a prompt that a template has made, or made before: what that was told of the time, and is told if it makes it again;
 *     null if it is told the time of now, or none
 */
public record RequestOptions(
        boolean receipt, Urgency urgency, @Nullable String adapter, RequestTrace trace, @Nullable LocalDateTime renderedAt) {
    /** Nothing of it. */
    public static final RequestOptions NONE = new RequestOptions(false, Urgency.DEFAULT, null, RequestTrace.NONE);

    /** The same, computed with an adapter. */
    public RequestOptions withAdapter(@Nullable String name) {
        return new RequestOptions(receipt, urgency, name, trace, renderedAt);
    }

    /** The same as urgent as that. */
    public RequestOptions with(Urgency other) {
        return new RequestOptions(receipt, other, adapter, trace, renderedAt);
    }

    /** Of a prompt that is not of a time. */
    public RequestOptions(boolean receipt, Urgency urgency, @Nullable String adapter, RequestTrace trace) {
        this(receipt, urgency, adapter, trace, null);
    }

    /** The same for a prompt that is of a time, or of none. */
    public RequestOptions renderedAt(@Nullable LocalDateTime at) {
        return new RequestOptions(receipt, urgency, adapter, trace, at);
    }

    /** What a message asks for. */
    public static RequestOptions of(ClientMessage.Generate message) {
        StreamOptions asked = message.options();
        RequestTrace trace = RequestTrace.of(asked.traceparent(), asked.tracestate());
        return new RequestOptions(asked.receipt(), asked.urgency(), asked.adapter(), message.messages().isEmpty() ? trace : trace.asChat());
    }
}

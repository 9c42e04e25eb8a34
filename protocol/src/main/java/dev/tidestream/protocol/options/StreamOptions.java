package dev.tidestream.protocol.options;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ClientMessage;

/**
 * What a client may ask of a stream beside its tokens.
 *
 * @param resumable whether the stream outlives its connection for a while, see {@link ClientMessage.Resume}
 * @param receipt whether {@code finished} has a receipt
 * @param urgency before whom it comes, and when it has to be done; one that is resumable has no deadline
 * @param adapter name of the adapter that it is computed with; null for the model alone
 * @param traceparent the span that the request comes from, as W3C Trace Context has it, unchecked; null: that of the connection
 * @param tracestate what goes with it; null for nothing
 * @param wish which weights it begins with
 */
public record StreamOptions(
        boolean resumable, boolean receipt, Urgency urgency, @Nullable String adapter, @Nullable String traceparent,
        @Nullable String tracestate, WeightsWish wish) {
    /** Nothing of it. */
    public static final StreamOptions NONE = new StreamOptions(false, false, Urgency.DEFAULT, null, null, null, WeightsWish.NEWEST);

    public StreamOptions withResumable(boolean wanted) {
        return new StreamOptions(wanted, receipt, urgency, adapter, traceparent, tracestate, wish);
    }

    public StreamOptions withReceipt(boolean wanted) {
        return new StreamOptions(resumable, wanted, urgency, adapter, traceparent, tracestate, wish);
    }

    public StreamOptions withUrgency(Urgency other) {
        return new StreamOptions(resumable, receipt, other, adapter, traceparent, tracestate, wish);
    }

    /** The same, computed with an adapter. */
    public StreamOptions withAdapter(@Nullable String name) {
        return new StreamOptions(resumable, receipt, urgency, name, traceparent, tracestate, wish);
    }

    /** The same in a trace. */
    public StreamOptions tracedBy(@Nullable String parent, @Nullable String state) {
        return new StreamOptions(resumable, receipt, urgency, adapter, parent, state, wish);
    }
}

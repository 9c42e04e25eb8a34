package dev.tidestream.server.openai.lanes;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.tracing.RequestTrace;
import dev.tidestream.server.transport.http.HttpError;

/** What a client has sent, read as far as it must be to know what it concerns. */
sealed interface LaneFrame {
    /** The name of its lane; null if it has none. */
    @Nullable String lane();

    /**
     * {@code response.create}; the rest is read when its turn comes.
     *
     * @param previousId the response that it goes on from
     * @param trace where it belongs in its caller's trace; null if it does not say
     */
    record Create(@Nullable String lane, @Nullable String previousId, @Nullable RequestTrace trace, String text) implements LaneFrame {}

    /** {@code response.cancel} of a response, or else of whatever runs on the lane. */
    record Cancel(@Nullable String lane, @Nullable String responseId) implements LaneFrame {}

    /** {@code tidestream.credit}. */
    record Credit(@Nullable String lane, int tokens) implements LaneFrame {}

    /** What is not taken, and why. */
    record Refused(@Nullable String lane, HttpError error) implements LaneFrame {}
}

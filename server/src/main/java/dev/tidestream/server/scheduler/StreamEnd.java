package dev.tidestream.server.scheduler;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.tracing.RequestTrace;

/**
 * How a stream ended that had waited for a slot, or had found the queue full. What is refused before that has none.
 *
 * @param stream the server's number of it
 * @param outcome in a word
 * @param code of the answer, if it failed
 * @param usage tokens of its prompt, and those it made, also before it went on here
 * @param timing of its way here, by the engine's clock
 * @param weightsVersion the version that it had last
 * @param trace where its request belongs in its caller's
 */
public record StreamEnd(
        long stream, Outcome outcome, @Nullable ErrorCode code, Usage usage, Timing timing, long weightsVersion, RequestTrace trace) {

    /** One that has come to its completion. */
    StreamEnd(long stream, Outcome outcome, @Nullable ErrorCode code, Completion completion, long weightsVersion, RequestTrace trace) {
        this(stream, outcome, code, completion.usage(), completion.timing(), weightsVersion, trace);
    }

    /** How a stream may end. */
    public enum Outcome {
        /** At a stop string, or an end-of-generation token. */
        STOP,
        /** With as many tokens as it may have. */
        LENGTH,
        /** Its client asked for that. */
        CANCELLED,
        /** Its client went away. */
        LEFT,
        /** With an error. */
        FAILED
    }
}

package dev.tidestream.protocol.admin;

import java.util.Map;

import org.jspecify.annotations.Nullable;

/** What a server answers: {@code progress}*, then one {@code ack} or {@code failed} per request. */
public sealed interface AdminReply {

    /** The request that this answers; null if a failed frame could not be attributed. */
    @Nullable
    String ref();

    /**
     * The request is done.
     *
     * @param weightsVersion the current version now
     * @param result what it has led to: further fields of the frame
     */
    record Ack(String ref, long weightsVersion, AdminResult result) implements AdminReply {
        /** An ack as a client reads it; see {@link AdminResult.Received}. */
        public Ack(String ref, long weightsVersion, Map<String, Object> details) {
            this(ref, weightsVersion, new AdminResult.Received(details));
        }

        /** Further fields of the frame, by wire name: String, Boolean, Long, Double, List and Map, unmodifiable. */
        public Map<String, Object> details() {
            return ResultFields.of(result);
        }
    }

    /**
     * The request was refused and has changed nothing.
     *
     * @param message for people: names what is wrong, with the values
     */
    record Failed(@Nullable String ref, AdminErrorCode code, String message) implements AdminReply {}

    /**
     * Long work goes on.
     *
     * @param stage what is being done, e.g. {@code receiving}, {@code building}, {@code verifying}
     * @param done of {@code of} units
     */
    record Progress(String ref, String stage, long done, long of) implements AdminReply {}
}

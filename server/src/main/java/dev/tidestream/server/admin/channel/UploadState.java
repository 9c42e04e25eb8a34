package dev.tidestream.server.admin.channel;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.server.admin.AdminDesk;

/**
 * Where an update stands whose payload comes over the channel. An answer of the desk ends it in every state.
 *
 * <pre>
 * Announced ──opened──► Receiving ──all bytes written──► Finishing ──► answer
 *     │                   │   ▲ │
 *     │                   │   └─┘ a chunk is written
 *     └────── giveUp ─────┴──────────────────────────────► GivenUp ──► answer, as soon as the call under way has returned
 * </pre>
 */
sealed interface UploadState {

    /** The desk checks the announcement; no payload is wanted yet. */
    record Announced() implements UploadState {}

    /**
     * The payload comes.
     *
     * @param receivedBytes of it, those of the chunk that is being written included
     * @param writing the desk is writing a chunk: the next one has to wait
     */
    record Receiving(AdminDesk.Upload upload, long receivedBytes, boolean writing) implements UploadState {
        /** A chunk is being written. */
        Receiving write(long bytes) {
            return new Receiving(upload, receivedBytes + bytes, true);
        }
    }

    /**
     * All of the payload is on disk and being applied: too late to give it up.
     *
     * @param gone its connection is: nobody waits for the answer
     */
    record Finishing(AdminDesk.Upload upload, boolean gone) implements UploadState {}

    /**
     * It is refused.
     *
     * @param upload to be closed; null as long as the desk has not opened one
     * @param reason what the answer will be
     * @param gone its connection is: nobody waits for the answer
     */
    record GivenUp(AdminDesk.@Nullable Upload upload, AdminReply.Failed reason, boolean gone) implements UploadState {}

    /** Bytes of the payload that have come. */
    private long received() {
        return this instanceof Receiving receiving ? receiving.receivedBytes : 0;
    }

    /** The desk takes the payload. */
    default UploadState opened(AdminDesk.Upload upload, long byteLength) {
        return switch (this) {
            case Announced _ -> receiving(upload, 0, byteLength);
            case GivenUp(var _, AdminReply.Failed reason, boolean gone) -> new GivenUp(upload, reason, gone);
            case Receiving _, Finishing _ -> throw new IllegalStateException("opened twice: " + this);
        };
    }

    /** The chunk is on disk. */
    default UploadState written(long byteLength) {
        return switch (this) {
            case Receiving receiving -> receiving(receiving.upload, receiving.receivedBytes, byteLength);
            case GivenUp givenUp -> givenUp;
            case Announced _, Finishing _ -> throw new IllegalStateException("no chunk was to be written: " + this);
        };
    }

    private static UploadState receiving(AdminDesk.Upload upload, long receivedBytes, long byteLength) {
        return receivedBytes == byteLength ? new Finishing(upload, false) : new Receiving(upload, receivedBytes, false);
    }

    /** Refused, unless it is too late for that or it is refused already. */
    default UploadState giveUp(AdminReply.Failed reason) {
        return switch (this) {
            case Announced _ -> new GivenUp(null, reason, false);
            case Receiving receiving -> new GivenUp(receiving.upload, reason, false);
            case Finishing _, GivenUp _ -> this;
        };
    }

    /** Its connection is gone: nobody waits for its answer; the payload cannot be completed any more, which is {@code reason}. */
    default UploadState gone(AdminReply.Failed reason) {
        return switch (giveUp(reason)) {
            case GivenUp(var upload, AdminReply.Failed why, boolean _) -> new GivenUp(upload, why, true);
            case Finishing finishing -> new Finishing(finishing.upload, true);
            case Announced _, Receiving _ -> throw new IllegalStateException("not given up: " + this);
        };
    }

    /** Whether nobody waits for the answer. */
    default boolean isGone() {
        return switch (this) {
            case Announced _, Receiving _ -> false;
            case Finishing finishing -> finishing.gone;
            case GivenUp givenUp -> givenUp.gone;
        };
    }

    /** A refusal with the numbers. */
    default String withNumbers(String why, long byteLength) {
        return "%s: received_bytes=%d, byte_length=%d".formatted(why, received(), byteLength);
    }
}

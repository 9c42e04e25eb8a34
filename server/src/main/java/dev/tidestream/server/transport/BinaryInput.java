package dev.tidestream.server.transport;

import java.util.Optional;

/** Where the binary frames of an administrator's connection go that begin now. */
sealed interface BinaryInput {

    /** No update wants them: they are refused. */
    record Unexpected() implements BinaryInput {}

    /** They may be those of an update that was refused: they are thrown away until another one is announced. */
    record Discarded() implements BinaryInput {}

    /**
     * To an update that has no answer yet, until its payload is complete.
     *
     * @param discardNext what comes after the payload may be that of an update that was refused meanwhile
     */
    record Payload(PayloadFlow flow, boolean discardNext) implements BinaryInput {}

    /** An update was announced and refused; its payload may be on its way. */
    default BinaryInput refused() {
        return switch (this) {
            case Unexpected _, Discarded _ -> new Discarded();
            case Payload(PayloadFlow flow, boolean _) -> new Payload(flow, true);
        };
    }

    /**
     * An update has its answer.
     *
     * @param done it was carried out, not refused
     */
    default BinaryInput answered(PayloadFlow update, boolean done) {
        return switch (this) {
            case Payload(PayloadFlow flow, boolean discardNext) when flow == update ->
                discardNext || !done || !flow.exact() ? new Discarded() : new Unexpected();
            case Unexpected _, Discarded _, Payload _ -> this;
        };
    }

    /** The update that has no answer yet, if there is one. */
    default Optional<PayloadFlow> unanswered() {
        return this instanceof Payload(PayloadFlow flow, boolean _) ? Optional.of(flow) : Optional.empty();
    }

    /** The update that frames belong to, if one wants more of them. */
    default Optional<PayloadFlow> wanting() {
        return unanswered().filter(flow -> !flow.complete());
    }

    /** Whether frames that no update wants are thrown away without a word. */
    default boolean discards() {
        return switch (this) {
            case Unexpected _ -> false;
            case Discarded _ -> true;
            case Payload payload -> payload.discardNext;
        };
    }

    /** What has become of the binary message that is coming in, whose frames may belong to different updates. */
    sealed interface Message {

        /** Its next part begins a frame, and nothing of it was refused. */
        record Fresh() implements Message {}

        /** Its next part is the rest of a frame that belongs to this payload, even if that has its answer meanwhile. */
        record RestOfFrame(PayloadFlow flow) implements Message {}

        /** Nobody wants it, which the client has been told once. */
        record Refused() implements Message {}
    }
}

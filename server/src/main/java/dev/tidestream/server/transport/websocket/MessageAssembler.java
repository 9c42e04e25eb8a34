package dev.tidestream.server.transport.websocket;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

import dev.tidestream.server.transport.common.AssemblyBudget;

/**
 * Puts pieces of text together into messages. Memory is taken for what has come, not for what is announced, and never more than
 * the limit of a message; of a message that will be over it, nothing but its head is kept, and the rest is thrown away as it
 * comes. Event loop.
 */
final class MessageAssembler implements AssemblyBudget.Holder {
    private static final int HEAD_BYTES = 1024;
    private static final int MIN_CAPACITY_BYTES = 256;

    /** What a piece has led to. */
    sealed interface Outcome {
        /** More is to come, or is being thrown away. */
        record Incomplete() implements Outcome {}

        record Text(String text) implements Outcome {}

        /**
         * The message is not kept; said once.
         *
         * @param bytes of the message, at least
         * @param head its beginning, for what can be learnt from it
         */
        record Refused(Reason reason, long bytes, String head) implements Outcome {}
    }

    /** Why a message is not kept. */
    enum Reason {
        /** It is larger than a message may be. */
        TOO_LARGE,
        /** All connections together hold as much as they may, and this one most of all. */
        NO_ROOM
    }

    private enum State {
        COLLECTING,
        /** It will be too large: only its head is wanted. */
        TOO_LARGE,
        DISCARDING
    }

    private static final Outcome INCOMPLETE = new Outcome.Incomplete();
    private static final byte[] NOTHING = {};
    private static final ByteBuffer NO_MORE = ByteBuffer.wrap(NOTHING);

    private final int maxBytes;
    private final AssemblyBudget budget;
    private final Consumer<Outcome.Refused> onGivenUp;

    private State state = State.COLLECTING;
    private byte[] bytes = NOTHING; // its whole length is reserved
    private int size;
    private long received; // bytes of the message, kept or not
    private long announced; // bytes of the message, as far as is known

    /**
     * @param maxBytes largest message
     * @param onGivenUp told when another connection has taken the room
     */
    MessageAssembler(int maxBytes, AssemblyBudget budget, Consumer<Outcome.Refused> onGivenUp) {
        this.maxBytes = maxBytes;
        this.budget = budget;
        this.onGivenUp = onGivenUp;
    }

    /**
     * Takes the next piece.
     *
     * @param first of its message
     * @param leftInFrame bytes of the frame that are still to come
     * @param last of its message
     */
    Outcome accept(boolean first, ByteBuffer piece, long leftInFrame, boolean last) {
        if (first) {
            release();
            state = State.COLLECTING;
            received = 0;
        }
        if (state == State.DISCARDING) {
            return INCOMPLETE;
        }
        received += piece.remaining();
        announced = received + leftInFrame;
        if (announced > maxBytes) {
            state = State.TOO_LARGE;
        }
        if (!append(piece, last)) {
            return refuse(Reason.NO_ROOM, head(piece));
        }
        if (state == State.TOO_LARGE) {
            return size >= HEAD_BYTES || last ? refuse(Reason.TOO_LARGE, head(NO_MORE)) : INCOMPLETE;
        }
        if (!last) {
            return INCOMPLETE;
        }
        String text = new String(bytes, 0, size, StandardCharsets.UTF_8); // the decoder has judged it
        release();
        return new Outcome.Text(text);
    }

    /** Keeps the piece, or as much of it as the head wants; false if there is no room. */
    private boolean append(ByteBuffer piece, boolean last) {
        int wanted = state == State.TOO_LARGE ? Math.min(piece.remaining(), Math.max(0, HEAD_BYTES - size)) : piece.remaining();
        int needed = size + wanted;
        if (needed > bytes.length) {
            int capacity = last ? needed : Math.max(needed, Math.min(maxBytes, Math.max(MIN_CAPACITY_BYTES, 2 * bytes.length)));
            if (!budget.reserve(this, capacity - bytes.length)) {
                return false;
            }
            bytes = Arrays.copyOf(bytes, capacity);
        }
        piece.get(bytes, size, wanted);
        size = needed;
        return true;
    }

    private String head(ByteBuffer next) {
        byte[] head = Arrays.copyOf(bytes, Math.min(HEAD_BYTES, size + next.remaining()));
        if (size < head.length) {
            next.get(head, size, head.length - size);
        }
        return new String(head, StandardCharsets.UTF_8);
    }

    private Outcome.Refused refuse(Reason reason, String head) {
        state = State.DISCARDING;
        release();
        return new Outcome.Refused(reason, announced, head);
    }

    @Override
    public int heldBytes() {
        return bytes.length;
    }

    @Override
    public void giveUp() {
        onGivenUp.accept(refuse(Reason.NO_ROOM, head(NO_MORE)));
    }

    /** Lets go of what there is of a message. */
    void release() {
        budget.release(this, bytes.length);
        bytes = NOTHING;
        size = 0;
    }
}

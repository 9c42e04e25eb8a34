package dev.tidestream.server.resume;

import java.util.Arrays;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.server.engine.TokenEvent;

/**
 * What a journal knows of a stream.
 *
 * @param identity whose it is, and what was asked for
 * @param precision what it was computed with
 * @param accepted how it began
 * @param tokens ids of its tokens {@code (n)}, those that were written; not copied
 * @param finish how it ended, if it had
 * @param mixed whether tokens were made with another head, or of another prompt, than {@code accepted} says
 */
record StreamRecord(
        Identity identity, String precision, TokenEvent.Accepted accepted, int[] tokens, TokenEvent.@Nullable Finish finish,
        boolean mixed) {

    /**
     * What makes a stream this one.
     *
     * @param handle its name, which nobody can guess
     * @param owner who may go on with it
     * @param message what was asked for; its id is the handle
     */
    record Identity(String handle, String owner, ClientMessage.Generate message) {
        /** What its prompt takes, at most. */
        long promptBytes() {
            int[] tokens = message.tokens();
            long chars = message.prompt() == null ? 0 : message.prompt().length();
            chars += message.messages().stream().mapToLong(said -> said.role().length() + said.content().length()).sum();
            return Character.BYTES * chars + (tokens == null ? 0 : (long) Integer.BYTES * tokens.length);
        }
    }

    /**
     * What is to be written of a stream.
     *
     * @param accepted how it began, if that is not written yet
     * @param from {@code seq} of the first of {@code tokens}; what was written from there on before is void
     * @param finish how it ended, if it has
     * @param mixed whether tokens were made with another head, or of another prompt, than the stream began with
     */
    record Piece(TokenEvent.@Nullable Accepted accepted, int from, int[] tokens, TokenEvent.@Nullable Finish finish, boolean mixed) {
        @Override
        public boolean equals(@Nullable Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }

        @Override
        public String toString() {
            return "Piece[from=%d, tokens=%s]".formatted(from, Arrays.toString(tokens));
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }

    @Override
    public String toString() {
        return "StreamRecord[weights_version=%d, tokens=%d]".formatted(accepted.weightsVersion(), tokens.length);
    }
}

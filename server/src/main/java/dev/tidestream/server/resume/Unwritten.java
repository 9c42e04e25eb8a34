package dev.tidestream.server.resume;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.engine.TokenEvent;

/** What the journal lacks of one stream. Guarded by the stream. */
final class Unwritten {
    private final Runnable changed;
    private boolean toBeWritten;
    private boolean firstIsWritten;
    private int written; // tokens

    /** @param changed told that there is something to write; on any thread, must not block */
    Unwritten(Runnable changed) {
        this.changed = changed;
    }

    /** It was read from the journal, with so many tokens. */
    void hasBeenRead(int tokens) {
        firstIsWritten = true;
        written = tokens;
    }

    /** There is something new. */
    void grew() {
        if (!toBeWritten) {
            toBeWritten = true;
            changed.run();
        }
    }

    /** The tokens from one on are made anew. */
    void startOver(int from) {
        written = Math.min(written, from);
    }

    /** Nothing, as long as the stream is run again and what is written of its end holds. */
    StreamRecord.Piece takeNothing() {
        toBeWritten = false;
        return new StreamRecord.Piece(null, written, new int[0], null, false);
    }

    /**
     * All of it.
     *
     * @param first of the stream's begin
     * @param mixed whether its tokens were made by other things than {@code first} says
     */
    StreamRecord.Piece take(TokenEvent.@Nullable Accepted first, KeptTokens tokens, TokenEvent.@Nullable Finish finish, boolean mixed) {
        toBeWritten = false;
        StreamRecord.Piece piece = new StreamRecord.Piece(
                firstIsWritten ? null : first, written, tokens.ids(written, tokens.made()), finish, mixed);
        firstIsWritten = first != null;
        written = tokens.made();
        return piece;
    }
}

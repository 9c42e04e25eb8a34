package dev.tidestream.server.cli.chat;

import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What was answered, as far as it came.
 *
 * @param seed that makes the same answer again, if it is known
 * @param weightsVersion that made the last token, if it is known
 * @param promptTokens of the whole conversation, if known
 * @param completionTokens of this answer, if known
 */
record Answer(
        String text, End end, OptionalLong seed, OptionalLong weightsVersion, OptionalInt promptTokens,
        OptionalInt completionTokens) {

    /** Why it ended. */
    enum End {
        /** The model ended it, or a stop string. */
        STOP,
        /** There were as many tokens as are allowed. */
        LENGTH,
        /** The model's context has no room for more. */
        CONTEXT,
        /** The user stopped it. */
        CANCELLED
    }
}

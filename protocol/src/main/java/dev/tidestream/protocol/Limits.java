package dev.tidestream.protocol;

/**
 * What a server accepts in one message; everything else is refused before it costs memory.
 *
 * @param messageChars longest message, in UTF-16 code units
 * @param maxTokens largest {@code max_tokens}
 */
public record Limits(int messageChars, int maxTokens) {

    /** One Mi characters, one Mi tokens. */
    public static final Limits DEFAULT = new Limits(1 << 20, 1 << 20);

    public Limits {
        if (messageChars < 1 || maxTokens < 1) {
            throw new IllegalArgumentException(
                    "limits must be positive: messageChars=" + messageChars + ", maxTokens=" + maxTokens);
        }
    }
}

package dev.tidestream.model.tokenizer;

/** What kind of entry a token is, as {@code tokenizer.ggml.token_type} numbers them. */
public enum TokenType {
    UNDEFINED,
    NORMAL,
    UNKNOWN,
    CONTROL,
    USER_DEFINED,
    UNUSED,
    BYTE;

    private static final TokenType[] BY_NUMBER = values();

    /** The kind of that number; {@link #UNDEFINED} if there is none. */
    public static TokenType of(int number) {
        return number >= 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : UNDEFINED;
    }

    /** Tokens that no text stands for: they are written only when special tokens are parsed, and decode to nothing. */
    public boolean isSpecial() {
        return this == CONTROL || this == UNKNOWN;
    }
}

package dev.tidestream.model.tokenizer;

/** What kind of entry a token is, as {@code tokenizer.ggml.token_type} numbers them. */
public enum TokenType {
    UNDEFINED(0),
    NORMAL(1),
    UNKNOWN(2),
    CONTROL(3),
    USER_DEFINED(4),
    UNUSED(5),
    BYTE(6);

    private static final TokenType[] BY_NUMBER = values();

    private final int number;

    TokenType(int number) {
        this.number = number;
    }

    /** Its number in a file. */
    public int number() {
        return number;
    }

    /** The kind of that number; {@link #UNDEFINED} if there is none. */
    public static TokenType of(int number) {
        return number >= 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : UNDEFINED;
    }

    /** Tokens that no text stands for: they are written only when special tokens are parsed, and decode to nothing. */
    public boolean isSpecial() {
        return this == CONTROL || this == UNKNOWN;
    }
}

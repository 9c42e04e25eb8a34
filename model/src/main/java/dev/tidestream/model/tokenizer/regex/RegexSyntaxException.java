package dev.tidestream.model.tokenizer.regex;

/** A regular expression that is malformed or has what {@link Regex} does not do; the message names the place. */
public final class RegexSyntaxException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RegexSyntaxException(String message) {
        super(message);
    }
}

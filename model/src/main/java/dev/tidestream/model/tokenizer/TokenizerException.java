package dev.tidestream.model.tokenizer;

/** A model file's tokenizer cannot be used; the message names the metadata key and the value. */
public final class TokenizerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public TokenizerException(String message) {
        super(message);
    }
}

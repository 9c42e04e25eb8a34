package dev.tidestream.model.tokenizer;

/** Makes tokenizers. */
public final class Tokenizers {
    private Tokenizers() {}

    /**
     * The tokenizer that a specification describes.
     *
     * @throws TokenizerException if a merge names what is no token, or a byte token is none
     */
    public static Tokenizer of(TokenizerSpec spec) {
        return new ModelTokenizer(spec);
    }
}

package dev.tidestream.model.tokenizer;

import java.util.OptionalInt;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufMetadata;

/** Makes tokenizers. */
public final class Tokenizers {
    private Tokenizers() {}

    /**
     * The tokenizer of a model file. Keeps nothing of the metadata.
     *
     * @throws TokenizerException if the kind of tokenizer is not supported or its data contradict themselves
     * @throws GgufException if a key is missing or has another type
     */
    public static Tokenizer fromGguf(GgufMetadata metadata) {
        return of(GgufTokenizer.read(metadata));
    }

    /**
     * How many token ids of a model file stand for something, see {@link Tokenizer#usedTokens}; also if its kind of tokenizer
     * is not known. None if it has no tokens.
     *
     * @throws GgufException if a key has another type
     */
    public static OptionalInt usedTokens(GgufMetadata metadata) {
        return GgufTokenizer.usedTokens(metadata);
    }

    /**
     * The tokenizer that a specification describes.
     *
     * @throws TokenizerException if a merge names what is no token, or a byte token is none
     */
    public static Tokenizer of(TokenizerSpec spec) {
        return new ModelTokenizer(spec);
    }
}

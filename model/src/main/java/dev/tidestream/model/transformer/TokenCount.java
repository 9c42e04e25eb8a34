package dev.tidestream.model.transformer;

import java.util.OptionalInt;

import dev.tidestream.model.gguf.GgufMetadata;
import dev.tidestream.model.gguf.GgufValue;

/** How many tokens a file's tokenizer has, without making one. */
public final class TokenCount {
    static final String KEY = "tokenizer.ggml.tokens";

    private TokenCount() {}

    /** Elements of {@code tokenizer.ggml.tokens}; none if the file has no tokenizer. */
    public static OptionalInt of(GgufMetadata metadata) {
        return metadata.findValue(KEY).orElse(null) instanceof GgufValue.ArrayValue tokens
                ? OptionalInt.of(tokens.count())
                : OptionalInt.empty();
    }
}

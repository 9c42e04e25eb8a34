package dev.tidestream.model.tokenizer;

import java.util.OptionalInt;

/** Text to token ids and back. Immutable; safe for use by any thread. */
public interface Tokenizer {

    /** Number of token ids: ids are {@code 0 <= id < vocabularySize()}. */
    int vocabularySize();

    /**
     * Encodes text.
     *
     * @param text any text, also with unpaired surrogates (they become U+FFFD)
     * @param addSpecial put BOS in front (and EOS behind) if the model's metadata asks for it
     * @param parseSpecial recognise the text of control tokens such as {@code <|endoftext|>} as those tokens
     * @return token ids {@code (n)}
     */
    int[] encode(String text, boolean addSpecial, boolean parseSpecial);

    /** The bytes a token stands for; empty for control tokens. The array is the caller's. */
    byte[] tokenBytes(int id);

    /** Decodes a whole sequence; invalid UTF-8 becomes U+FFFD. The rule for a leading space is undone as in the original. */
    String decode(int[] ids);

    /** A decoder for one stream: feeds on tokens, gives text that is never half a character. */
    IncrementalDetokenizer newDetokenizer();

    /** The beginning-of-sequence token, if the model has one. */
    OptionalInt bosToken();

    /** Whether generation ends with this token (EOS, EOT and the like). */
    boolean isEndOfGeneration(int id);
}

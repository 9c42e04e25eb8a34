package dev.tidestream.model.tokenizer;

import java.util.OptionalInt;

/** Text to token ids and back. Immutable; safe for use by any thread. */
public interface Tokenizer {

    /** Number of token ids: ids are {@code 0 <= id < vocabularySize()}. */
    int vocabularySize();

    /**
     * Number of token ids that stand for something: ids from here to {@link #vocabularySize()} are padding, which converters write
     * so that a matrix has a rounder number of rows. No sampler chooses them and no request names them.
     */
    default int usedTokens() {
        return vocabularySize();
    }

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

    /**
     * Decodes a whole sequence; invalid UTF-8 becomes U+FFFD. Where the model puts a space in front of every text
     * (SentencePiece's prefix rule), that one space is not part of the result.
     */
    String decode(int[] ids);

    /**
     * A decoder for one stream that continues some text: feeds on tokens, gives text that is never half a character. Gives
     * every byte, also the space that a SentencePiece word begins with.
     */
    IncrementalDetokenizer newDetokenizer();

    /**
     * A decoder for the stream that continues a prompt. Its text is the tail of {@code decode(prompt and stream)}: if there is
     * no text in the prompt (nothing, or BOS), the prefix space that {@link #decode} strips is not part of the stream.
     *
     * @param prompt token ids {@code (n)}
     */
    default IncrementalDetokenizer newDetokenizer(int[] prompt) {
        return newDetokenizer();
    }

    /** The beginning-of-sequence token, if the model has one. */
    OptionalInt bosToken();

    /** Whether generation ends with this token (EOS, EOT and the like). */
    boolean isEndOfGeneration(int id);
}

package dev.tidestream.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalInt;

/** Text to token ids and back. Immutable; safe for use by any thread. */
public interface Tokenizer {

    /** Number of token ids: ids are {@code 0 <= id < vocabularySize()}. */
    int vocabularySize();

    /**
     * Number of token ids that stand for something: ids from here to {@link #vocabularySize()} are padding, which converters
     * write so that a matrix has a rounder number of rows. No sampler chooses them and no request names them.
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

    /**
     * A lower bound of how many tokens {@link #encode} makes of a text, whatever it is asked for; takes one look at each character, and no
     * memory. 0, which says nothing, if not overridden.
     */
    default long leastTokens(String text) {
        return 0;
    }

    /**
     * Encodes a prompt, a text that the model is to continue: BOS in front if the model asks for it, unless the text begins
     * with BOS itself (which takes {@code parseSpecial}); never EOS behind, whatever the metadata asks for, since nothing follows
     * an end.
     *
     * @param parseSpecial as for {@link #encode}; without it a user's text is text, whatever it looks like
     * @return token ids {@code (n)}
     */
    default int[] encodePrompt(String text, boolean parseSpecial) {
        return encodePrompt(text, ControlPlaces.of(parseSpecial));
    }

    /**
     * The same for a text in which names of control tokens are those tokens in some places only. Words and other tokens are found as
     * they would be in the text without places.
     *
     * @param places where; asked with indices of this text
     * @return token ids {@code (n)}
     */
    default int[] encodePrompt(String text, ControlPlaces places) {
        return encode(text, true, text.isEmpty() || places.allow(0, text.length()));
    }

    /** Whether this is a control token: one that has a name, such as {@code <|im_start|>}, and stands for no text. */
    default boolean isControl(int id) {
        return false;
    }

    /** Where names of control tokens stand in a text, in order. */
    default List<ControlToken> controlTokens(String text) {
        return List.of();
    }

    /**
     * The name of a control token in a text.
     *
     * @param start index of its first char
     * @param end index behind its last char
     */
    record ControlToken(int start, int end, int id) {}

    /** The bytes a token stands for; empty for control tokens. The array is the caller's. */
    byte[] tokenBytes(int id);

    /** What the model sees in a token: its bytes as text, of a control token its name. What is not UTF-8 is U+FFFD. */
    default String tokenText(int id) {
        return new String(tokenBytes(id), StandardCharsets.UTF_8);
    }

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

package dev.tidestream.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;

/**
 * Tokens by id and by text. Immutable.
 *
 * <p>Hostile or careless vocabularies are taken as they are: of tokens with the same text the lowest id is the one that text
 * encodes to; an empty token is never encoded to and decodes to nothing; a control token is found only by
 * {@link SpecialTokens}, so that no plain text can spell one.
 */
final class Vocabulary {
    /** Texts that end generation whatever the metadata says: converters often name only one of several. */
    private static final Set<String> END_TEXTS = Set.of(
            "<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>", "<end_of_turn>",
            "<EOT>", "_<EOT>", "[EOT]", "<end_of_utterance>", "<｜end▁of▁sentence｜>",
            "<|fim_pad|>", "<|repo_name|>", "<|fim_repo|>", "<|file_sep|>");

    /** U+2581, which SentencePiece writes for a space. */
    static final char ESCAPED_SPACE = '▁';

    private static final byte[] NO_BYTES = {};

    private final String[] texts;
    private final TokenType[] types;
    private final byte[][] bytes;
    private final Map<String, Integer> ids = new HashMap<>();
    private final BitSet endOfGeneration = new BitSet();
    private final boolean spacePrefix;
    private final int longestText;

    Vocabulary(TokenizerSpec spec) {
        boolean sentencePiece = spec.algorithm() instanceof TokenizerSpec.SentencePiece;
        spacePrefix = spec.algorithm() instanceof TokenizerSpec.SentencePiece(boolean prefix) && prefix;
        texts = spec.tokens().toArray(String[]::new);
        types = spec.types().clone();
        bytes = new byte[texts.length][];
        int longest = 0;
        for (int id = 0; id < texts.length; id++) {
            String text = texts[id];
            if (END_TEXTS.contains(text)) {
                types[id] = TokenType.CONTROL;
                endOfGeneration.set(id);
            }
            if (types[id] == TokenType.BYTE && byteOf(text) < 0) {
                throw new TokenizerException(
                        "tokenizer.ggml.tokens[%d]: a byte token must be <0x00> to <0xFF>: '%s'".formatted(id, text));
            }
            bytes[id] = bytesOf(text, types[id], sentencePiece);
            if (isPlain(types[id], sentencePiece) && !text.isEmpty()) {
                ids.putIfAbsent(text, id);
                longest = Math.max(longest, text.length());
            }
        }
        longestText = longest;
        spec.eos().ifPresent(endOfGeneration::set);
        spec.endOfGeneration().forEach(endOfGeneration::set);
    }

    private static boolean isPlain(TokenType type, boolean sentencePiece) {
        return !type.isSpecial() && !(sentencePiece && type == TokenType.BYTE);
    }

    private static byte[] bytesOf(String text, TokenType type, boolean sentencePiece) {
        return switch (type) {
            case UNDEFINED, UNKNOWN, CONTROL, UNUSED -> NO_BYTES;
            case USER_DEFINED -> text.getBytes(StandardCharsets.UTF_8);
            case BYTE -> new byte[] {(byte) byteOf(text)};
            case NORMAL -> sentencePiece
                    ? text.replace(ESCAPED_SPACE, ' ').getBytes(StandardCharsets.UTF_8)
                    : ByteAlphabet.bytesOf(text);
        };
    }

    /** The value of a byte token's text, {@code <0x00>} to {@code <0xFF>}; -1 if it is none. */
    static int byteOf(String text) {
        boolean wellFormed = text.length() == 6 && text.startsWith("<0x") && text.charAt(5) == '>'
                && HexFormat.isHexDigit(text.charAt(3)) && HexFormat.isHexDigit(text.charAt(4));
        return wellFormed ? HexFormat.fromHexDigits(text, 3, 5) : -1;
    }

    int size() {
        return texts.length;
    }

    String text(int id) {
        return texts[id];
    }

    TokenType type(int id) {
        return types[id];
    }

    /** The token that plain text of this form is; -1 if there is none. */
    int idOf(String text) {
        return ids.getOrDefault(text, -1);
    }

    /** Length in chars of the longest text that {@link #idOf} knows. */
    int longestText() {
        return longestText;
    }

    /** What the token decodes to; shared, not to be changed. */
    byte[] bytes(int id) {
        if (id < 0 || id >= bytes.length) {
            throw new IllegalArgumentException("token id out of range: token=%d, vocabulary=%d".formatted(id, bytes.length));
        }
        return bytes[id];
    }

    /** Whether the token begins with the space that encoding put in front of a text. */
    boolean hasPrefixSpace(int id) {
        return spacePrefix && types[id] == TokenType.NORMAL && bytes[id].length > 0 && bytes[id][0] == ' ';
    }

    boolean isEndOfGeneration(int id) {
        return id >= 0 && endOfGeneration.get(id);
    }
}

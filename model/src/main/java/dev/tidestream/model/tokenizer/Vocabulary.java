package dev.tidestream.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

import dev.tidestream.model.gguf.GgufException;

/**
 * Tokens by id and by text. Immutable. Texts stay as the model file has them, and what a token decodes to is worked out when it is asked
 * for: a string, an array and a map's entry per token were 13 MB more of objects for 128,000 tokens, measured.
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
    private static final int NO_ID = -1;

    private final List<String> texts;
    private final TokenType[] types;
    private final long multiplier = new SplittableRandom().nextLong() | 1;
    private final int[] hashes; // of texts, by id
    private final int[] slots; // ids of plain tokens, by hash and then the next free slot; NO_ID: free
    private final BitSet endOfGeneration = new BitSet();
    private final boolean byteSymbols; // tokens are merged from bytes, so a byte token is one like others
    private final TokenizerSpec.Decoding decoding;
    private final int longestText;
    private final int used;

    Vocabulary(TokenizerSpec spec) {
        byteSymbols = spec.algorithm() instanceof TokenizerSpec.BytePair pairs && pairs.symbols() == TokenizerSpec.Symbols.BYTES;
        decoding = spec.decoding();
        texts = spec.tokens();
        types = spec.types().toArray(TokenType[]::new);
        hashes = new int[types.length];
        slots = new int[4 * Math.max(1, Integer.highestOneBit(types.length))]; // at most half of them taken
        Arrays.fill(slots, NO_ID);
        used = TokenizerSpec.usedTokens(texts, spec.types());
        int longest = 0;
        for (int id = 0; id < types.length; id++) {
            String text = texts.get(id);
            if (END_TEXTS.contains(text)) {
                types[id] = TokenType.CONTROL;
                endOfGeneration.set(id);
            }
            if (types[id] == TokenType.BYTE && byteOf(text) < 0) {
                throw new TokenizerException(
                        "tokenizer.ggml.tokens[%d]: a byte token must be <0x00> to <0xFF>: '%s'"
                                .formatted(id, GgufException.quote(text)));
            }
            hashes[id] = hash(text);
            if (id < used && isPlain(types[id]) && !text.isEmpty()) {
                int slot = slot(text);
                slots[slot] = slots[slot] == NO_ID ? id : slots[slot];
                longest = Math.max(longest, text.length());
            }
        }
        longestText = longest;
        spec.specials().eos().ifPresent(endOfGeneration::set);
        spec.specials().endOfGeneration().forEach(endOfGeneration::set);
    }

    /** Whether a token of this text ends generation, whatever the metadata says. */
    static boolean isEndText(String text) {
        return END_TEXTS.contains(text);
    }

    /** Where the plain token of this text is, or would be. */
    private int slot(String text) {
        int hash = hash(text);
        int mask = slots.length - 1;
        int slot = hash & mask;
        while (slots[slot] != NO_ID && !(hashes[slots[slot]] == hash && texts.get(slots[slot]).equals(text))) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    /** Not {@link String#hashCode}: texts that share that are easily made, and would be searched one after the other. */
    private int hash(String text) {
        long hash = multiplier;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash + text.charAt(i)) * multiplier;
        }
        return (int) (hash >>> Integer.SIZE);
    }

    private boolean isPlain(TokenType type) {
        return !type.isSpecial() && (byteSymbols || type != TokenType.BYTE);
    }

    private byte[] bytesOf(String text, TokenType type) {
        return switch (type) {
            case UNDEFINED, UNKNOWN, CONTROL, UNUSED -> NO_BYTES;
            case USER_DEFINED -> decoding.userDefinedToo() ? spelled(text) : text.getBytes(StandardCharsets.UTF_8);
            case BYTE -> new byte[] {(byte) byteOf(text)};
            case NORMAL -> spelled(text);
        };
    }

    private byte[] spelled(String text) {
        return switch (decoding.spelling()) {
            case BYTE_ALPHABET -> ByteAlphabet.bytesOf(text);
            case ESCAPED_SPACES -> text.replace(ESCAPED_SPACE, ' ').getBytes(StandardCharsets.UTF_8);
            case TEXT -> text.getBytes(StandardCharsets.UTF_8);
        };
    }

    /** The value of a byte token's text, {@code <0x00>} to {@code <0xFF>}; -1 if it is none. */
    static int byteOf(String text) {
        boolean wellFormed = text.length() == 6 && text.startsWith("<0x") && text.charAt(5) == '>'
                && HexFormat.isHexDigit(text.charAt(3)) && HexFormat.isHexDigit(text.charAt(4));
        return wellFormed ? HexFormat.fromHexDigits(text, 3, 5) : -1;
    }

    int size() {
        return types.length;
    }

    /** Tokens but for the padding at the end: no text is encoded to it. */
    int used() {
        return used;
    }

    String text(int id) {
        return texts.get(id);
    }

    TokenType type(int id) {
        return types[id];
    }

    /** The token that plain text of this form is; -1 if there is none. */
    int idOf(String text) {
        return slots[slot(text)];
    }

    /** Length in chars of the longest text that {@link #idOf} knows. */
    int longestText() {
        return longestText;
    }

    /** What the token decodes to. */
    byte[] bytes(int id) {
        if (id < 0 || id >= types.length) {
            throw new IllegalArgumentException("token id out of range: token=%d, vocabulary=%d".formatted(id, types.length));
        }
        return bytesOf(texts.get(id), types[id]);
    }

    /** Whether the token begins with the space that encoding put in front of a text. */
    boolean hasPrefixSpace(int id) {
        if (!decoding.stripsPrefixSpace() || !(types[id] == TokenType.NORMAL || decoding.userDefinedToo())) {
            return false;
        }
        byte[] bytes = bytes(id);
        return bytes.length > 0 && bytes[0] == ' ';
    }

    boolean isEndOfGeneration(int id) {
        return id >= 0 && endOfGeneration.get(id);
    }
}

package dev.tidestream.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Tokens that stand for one byte each, {@code <0x00>} to {@code <0xFF>}, for characters that are no token. Immutable. */
final class ByteTokens {
    /** What has no byte tokens. */
    static final int[] NONE = {};

    private final int[] ids = new int[256]; // -1: none

    ByteTokens(Vocabulary vocabulary) {
        Arrays.fill(ids, -1);
        for (int id = 0; id < vocabulary.size(); id++) {
            int value = vocabulary.type(id) == TokenType.BYTE ? Vocabulary.byteOf(vocabulary.text(id)) : -1;
            if (value >= 0 && ids[value] < 0) {
                ids[value] = id;
            }
        }
    }

    /** The bytes of a text in UTF-8; {@link #NONE} if one of them has no token. */
    int[] of(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] tokens = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            tokens[i] = ids[bytes[i] & 0xFF];
            if (tokens[i] < 0) {
                return NONE;
            }
        }
        return tokens;
    }
}

package dev.tidestream.server.openai.wire;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

import dev.tidestream.model.tokenizer.Tokenizer;

/** What single tokens look like in an answer. Any thread. */
public final class TokenTexts {
    private static final String HEX = "0123456789abcdef";

    private final Tokenizer tokenizer;

    public TokenTexts(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** The bytes that a token stands for; none for control tokens and for ids that there are not. */
    public byte[] bytes(int token) {
        return token < 0 || token >= tokenizer.vocabularySize() ? new byte[0] : tokenizer.tokenBytes(token);
    }

    /** The text of a token; what is no whole character is U+FFFD. */
    public static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /**
     * A name of a token that is different for different bytes: its text; {@code bytes:\xe2\x80} if that is no UTF-8, and
     * {@code token_id:7} if there is none.
     */
    public String name(int token) {
        byte[] bytes = bytes(token);
        if (bytes.length == 0) {
            return "token_id:" + token;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT).decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) { // part of a character
            StringBuilder name = new StringBuilder("bytes:");
            for (byte b : bytes) {
                name.append("\\x").append(HEX.charAt((b >> 4) & 0xF)).append(HEX.charAt(b & 0xF));
            }
            return name.toString();
        }
    }
}

package dev.tidestream.model.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * One stream's bytes to text. The JDK's decoder keeps what may still become a character unread; at most 3 bytes are withheld.
 * All pieces together are what {@code new String(allBytes, UTF_8)} gives.
 */
final class Utf8Detokenizer implements IncrementalDetokenizer {
    private static final int MOST_WITHHELD_BYTES = 3;

    private final Vocabulary vocabulary;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private ByteBuffer withheld = ByteBuffer.allocate(0);
    private boolean atTextStart;

    /** @param atTextStart whether no text came before, so that a SentencePiece prefix space is not part of the text */
    Utf8Detokenizer(Vocabulary vocabulary, boolean atTextStart) {
        this.vocabulary = vocabulary;
        this.atTextStart = atTextStart;
    }

    @Override
    public String append(int token) {
        byte[] bytes = vocabulary.bytes(token);
        if (bytes.length == 0) {
            return "";
        }
        int from = atTextStart && vocabulary.hasPrefixSpace(token) ? 1 : 0;
        atTextStart = false;
        ByteBuffer input = ByteBuffer.allocate(withheld.remaining() + bytes.length - from);
        input.put(withheld).put(bytes, from, bytes.length - from).flip();
        CharBuffer text = CharBuffer.allocate(input.remaining());
        decoder.decode(input, text, false);
        withheld = input;
        return text.flip().toString();
    }

    @Override
    public String flush() {
        CharBuffer text = CharBuffer.allocate(MOST_WITHHELD_BYTES);
        decoder.decode(withheld, text, true);
        decoder.flush(text);
        decoder.reset();
        withheld = ByteBuffer.allocate(0);
        return text.flip().toString();
    }
}

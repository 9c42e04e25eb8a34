package dev.tidestream.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;

/** Text on standard input: UTF-8, whatever the locale. */
public final class StandardInput {
    private static final int MAX_BYTES = 1 << 24;

    private StandardInput() {}

    /**
     * All of it.
     *
     * @throws IOException if it cannot be read, is longer than 16 MiB, or is not UTF-8; the message says so of standard input
     */
    public static String text() throws IOException {
        byte[] bytes;
        try {
            bytes = System.in.readNBytes(MAX_BYTES + 1);
        } catch (IOException e) {
            throw new IOException("standard input cannot be read: " + Reasons.of(e), e);
        }
        if (bytes.length > MAX_BYTES) {
            throw new IOException("standard input is too long: limit=%d bytes".formatted(MAX_BYTES));
        }
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer text = CharBuffer.allocate(bytes.length);
        CoderResult result = decoder.decode(in, text, true);
        if (result.isError()) {
            throw new IOException("standard input is not UTF-8: byte %d is 0x%02x".formatted(in.position(), in.get(in.position())));
        }
        return text.flip().toString();
    }
}

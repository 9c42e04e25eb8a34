package dev.tidestream.server.openai.wire;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

import io.vertx.core.buffer.Buffer;

import dev.tidestream.server.transport.http.JsonAnswer;

/**
 * JSON as bytes, put together piece by piece without trees or generators: whoever writes it knows its shape, and says the punctuation.
 * One thread.
 */
public final class JsonBytes {
    private static final int MIN_BYTES = 256;
    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] NULL = ascii("null");
    private static final int TEN = 10;
    private static final int MOST_BYTES_OF_CHAR = 6; // escaped
    private static final int CHARS_AT_ONCE = 64;
    private static final int SPACE = 0x20;
    private static final int ASCII_END = 0x80;
    private static final int TWO_BYTES_END = 0x800;

    private byte[] bytes = new byte[MIN_BYTES];
    private int size;

    /** The bytes of a text that is ASCII. */
    public static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Bytes so far. */
    public int size() {
        return size;
    }

    /** Forgets everything. */
    public JsonBytes clear() {
        size = 0;
        return this;
    }

    /** Appends bytes as they are. */
    public JsonBytes raw(byte[] more) {
        return raw(more, more.length);
    }

    /** Appends what another has. */
    public JsonBytes raw(JsonBytes more) {
        return raw(more.bytes, more.size);
    }

    private JsonBytes raw(byte[] more, int count) {
        ensure(count);
        System.arraycopy(more, 0, bytes, size, count);
        size += count;
        return this;
    }

    /** Appends punctuation and names as they are; ASCII. */
    public JsonBytes raw(String ascii) {
        int count = ascii.length();
        ensure(count);
        for (int i = 0; i < count; i++) {
            bytes[size++] = (byte) ascii.charAt(i);
        }
        return this;
    }

    /** Appends a number. */
    public JsonBytes number(long value) {
        if (value < 0) {
            return raw(Long.toString(value)); // seeds at most
        }
        int digits = 1;
        for (long rest = value / TEN; rest > 0; rest /= TEN) {
            digits++;
        }
        ensure(digits);
        size += digits;
        long rest = value;
        for (int at = size - 1; at >= size - digits; at--) {
            bytes[at] = (byte) ('0' + rest % TEN);
            rest /= TEN;
        }
        return this;
    }

    /** Appends a finite number. */
    public JsonBytes number(float value) {
        return raw(Float.toString(value));
    }

    /** Appends a string, quoted and escaped, or null; an unpaired surrogate becomes U+FFFD. */
    public JsonBytes string(CharSequence text) {
        ensure(2);
        put('"');
        for (int i = 0; i < text.length(); i++) {
            if (bytes.length - size < MOST_BYTES_OF_CHAR + 1) { // and the quote
                ensure(MOST_BYTES_OF_CHAR * Math.min(text.length() - i, CHARS_AT_ONCE) + 1);
            }
            char c = text.charAt(i);
            if (c < ASCII_END) {
                escaped(c);
            } else if (c < TWO_BYTES_END) {
                put(0xC0 | (c >> 6));
                put(0x80 | (c & 0x3F));
            } else if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                int point = Character.toCodePoint(c, text.charAt(++i));
                put(0xF0 | (point >> 18));
                put(0x80 | ((point >> 12) & 0x3F));
                put(0x80 | ((point >> 6) & 0x3F));
                put(0x80 | (point & 0x3F));
            } else {
                char whole = Character.isSurrogate(c) ? '\uFFFD' : c;
                put(0xE0 | (whole >> 12));
                put(0x80 | ((whole >> 6) & 0x3F));
                put(0x80 | (whole & 0x3F));
            }
        }
        put('"');
        return this;
    }

    /** Appends {@code null}. */
    public JsonBytes nullValue() {
        return raw(NULL);
    }

    private void escaped(char c) {
        switch (c) {
            case '"', '\\' -> {
                put('\\');
                put(c);
            }
            case '\n' -> {
                put('\\');
                put('n');
            }
            case '\t' -> {
                put('\\');
                put('t');
            }
            case '\r' -> {
                put('\\');
                put('r');
            }
            default -> {
                if (c < SPACE) {
                    raw("\\u00");
                    put(HEX[c >> 4]);
                    put(HEX[c & 0xF]);
                } else {
                    put(c);
                }
            }
        }
    }

    private void put(int b) {
        bytes[size++] = (byte) b;
    }

    private void ensure(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(Math.addExact(size, more), (int) Math.min(Integer.MAX_VALUE - 8, 2L * bytes.length)));
        }
    }

    /** A copy of the bytes. */
    public byte[] toBytes() {
        return Arrays.copyOf(bytes, size);
    }

    /** What there is as text. */
    public String toText() {
        return new String(bytes, 0, size, StandardCharsets.UTF_8);
    }

    /** What there is, for the socket, without a copy; this is empty after it. */
    public Buffer handOver() {
        Buffer all = JsonAnswer.wrapped(bytes, size);
        bytes = new byte[MIN_BYTES];
        size = 0;
        return all;
    }

    /** A copy for the socket. */
    public Buffer toBuffer() {
        return Buffer.buffer(size).appendBytes(bytes, 0, size);
    }
}

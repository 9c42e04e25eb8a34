package dev.tidestream.model.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Reads little-endian values of an image from a position on. Every read is checked against the bytes that remain, before
 * anything is allocated or moved; a fault names the file, what is being read ({@link #subject}) and the value.
 *
 * <p>Lengths in the file are unsigned 64-bit: as a {@code long}, one above 2^63 is negative, and is refused as too large.
 */
final class Cursor {
    /** Longest text that is read; a chat template has some kilobytes. */
    static final int MAX_TEXT_BYTES = 1 << 24;
    /** Longest key or tensor name: the limit of the specification for keys. */
    static final int MAX_NAME_BYTES = 65_535;

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int QUOTED_CHARS = 80;

    private final MemorySegment image;
    private final String file;
    private long position;
    private String subjectKind = "header";
    private String subjectName = "";

    Cursor(MemorySegment image, String file) {
        this.image = image;
        this.file = file;
    }

    /** Another cursor at the same place. */
    Cursor copy() {
        Cursor copy = new Cursor(image, file);
        copy.position = position;
        copy.subjectKind = subjectKind;
        copy.subjectName = subjectName;
        return copy;
    }

    /** All bytes up to where another cursor of the same image is. */
    MemorySegment until(Cursor end) {
        return image.asSlice(position, end.position - position);
    }

    /** What is being read from now on, for messages: a kind, and a name from the file or an empty one. */
    void subject(String kind, String name) {
        subjectKind = kind;
        subjectName = name;
    }

    long position() {
        return position;
    }

    long remaining() {
        return image.byteSize() - position;
    }

    String file() {
        return file;
    }

    /** The fault, with the file and the subject in front. */
    GgufException fault(String message) {
        String name = subjectName.isEmpty() ? "" : " '" + quote(subjectName) + "'";
        return new GgufException("%s: %s%s: %s".formatted(file, subjectKind, name, message));
    }

    /** A text of the file, short and on one line. */
    static String quote(String text) {
        StringBuilder quoted = new StringBuilder(Math.min(text.length(), QUOTED_CHARS) + 1);
        for (int i = 0; i < text.length() && i < QUOTED_CHARS; i++) {
            char c = text.charAt(i);
            boolean printable = !Character.isISOControl(c) && c != '\u2028' && c != '\u2029';
            quoted.append(printable ? Character.toString(c) : "\\u%04x".formatted((int) c));
        }
        return quoted.append(text.length() > QUOTED_CHARS ? "…" : "").toString();
    }

    void skip(long bytes, String what) {
        need(bytes, what);
        position += bytes;
    }

    /** Refuses a count of things that cannot fit: {@code count} is unsigned, each thing has at least {@code minBytes}. */
    void needCount(long count, long minBytes, String what) {
        if (count < 0 || count > remaining() / minBytes) {
            throw fault("%s %s does not fit: at least %d bytes each, %d bytes remain"
                    .formatted(what, Long.toUnsignedString(count), minBytes, remaining()));
        }
    }

    int u8(String what) {
        need(Byte.BYTES, what);
        return Byte.toUnsignedInt(image.get(ValueLayout.JAVA_BYTE, position++));
    }

    short i16(String what) {
        need(Short.BYTES, what);
        short value = image.get(SHORT, position);
        position += Short.BYTES;
        return value;
    }

    int i32(String what) {
        need(Integer.BYTES, what);
        int value = image.get(INT, position);
        position += Integer.BYTES;
        return value;
    }

    long i64(String what) {
        need(Long.BYTES, what);
        long value = image.get(LONG, position);
        position += Long.BYTES;
        return value;
    }

    /** A key or a tensor name: 1 to {@link #MAX_NAME_BYTES} bytes of valid UTF-8. */
    String name(String what) {
        int bytes = length(what, MAX_NAME_BYTES);
        if (bytes == 0) {
            throw fault(what + " is empty");
        }
        ByteBuffer utf8 = image.asSlice(position, bytes).asByteBuffer();
        position += bytes;
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
        } catch (CharacterCodingException e) {
            utf8.rewind();
            String lenient = StandardCharsets.UTF_8.decode(utf8).toString();
            throw fault("%s '%s' is not UTF-8".formatted(what, quote(lenient)));
        }
    }

    /** A text value; what is not UTF-8 becomes U+FFFD. */
    String text() {
        int bytes = length("string", MAX_TEXT_BYTES);
        byte[] utf8 = new byte[bytes];
        MemorySegment.copy(image, ValueLayout.JAVA_BYTE, position, utf8, 0, bytes);
        position += bytes;
        return new String(utf8, StandardCharsets.UTF_8);
    }

    /** Passes over a text value; its bytes of UTF-8. */
    int skipText() {
        int bytes = length("string", MAX_TEXT_BYTES);
        position += bytes;
        return bytes;
    }

    /** Copies a text value as it is, to {@code to} from {@code offset} on; its bytes. */
    int copyText(byte[] to, int offset) {
        int bytes = length("string", MAX_TEXT_BYTES);
        MemorySegment.copy(image, ValueLayout.JAVA_BYTE, position, to, offset, bytes);
        position += bytes;
        return bytes;
    }

    private int length(String what, int limit) {
        long bytes = i64(what + " length");
        if (bytes < 0 || bytes > remaining()) {
            throw fault("%s length %s does not fit: %d bytes remain"
                    .formatted(what, Long.toUnsignedString(bytes), remaining()));
        }
        if (bytes > limit) {
            throw fault("%s length %d is above the limit of %d bytes".formatted(what, bytes, limit));
        }
        return (int) bytes;
    }

    private void need(long bytes, String what) {
        if (bytes < 0 || bytes > remaining()) {
            throw fault("file ends at byte %d inside %s, which needs %s bytes at byte %d"
                    .formatted(image.byteSize(), what, Long.toUnsignedString(bytes), position));
        }
    }
}

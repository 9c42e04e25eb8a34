package dev.tidestream.server.transport.websocket;

import java.nio.ByteBuffer;

/**
 * Judges UTF-8 byte by byte, as it comes: at each moment it is known whether the bytes so far can still become valid text. That
 * is earlier than a decoder of the JDK knows of surrogates, and RFC 6455 wants it (section 8.1). The second byte of a character
 * has bounds of its own after E0, ED, F0 and F4 (Unicode, table 3-7).
 */
final class Utf8Checker {
    private static final int FIRST_CONTINUATION = 0x80;
    private static final int LAST_CONTINUATION = 0xBF;
    private static final long NOT_ASCII = 0x8080_8080_8080_8080L;

    private int missing; // continuation bytes of the character that has begun
    private int lowest = FIRST_CONTINUATION; // bounds of the next continuation byte
    private int highest = LAST_CONTINUATION;

    /** Forgets everything: a new text begins. */
    void reset() {
        missing = 0;
        lowest = FIRST_CONTINUATION;
        highest = LAST_CONTINUATION;
    }

    /** Whether no character is half done. */
    boolean isComplete() {
        return missing == 0;
    }

    /** Whether the text can go on like this; moves no position. */
    boolean accept(ByteBuffer bytes) {
        int at = bytes.position();
        int end = bytes.limit();
        while (at < end) {
            if (missing == 0) {
                while (at + Long.BYTES <= end && (bytes.getLong(at) & NOT_ASCII) == 0) {
                    at += Long.BYTES;
                }
                if (at == end) {
                    return true;
                }
            }
            if (!accept(Byte.toUnsignedInt(bytes.get(at++)))) {
                return false;
            }
        }
        return true;
    }

    private boolean accept(int b) {
        if (missing > 0) {
            boolean fits = b >= lowest && b <= highest;
            missing--;
            lowest = FIRST_CONTINUATION;
            highest = LAST_CONTINUATION;
            return fits;
        }
        if (b < 0x80) {
            return true;
        }
        if (b < 0xC2 || b > 0xF4) {
            return false;
        }
        if (b < 0xE0) {
            missing = 1;
        } else if (b < 0xF0) {
            missing = 2;
            lowest = b == 0xE0 ? 0xA0 : FIRST_CONTINUATION; // not longer than need be
            highest = b == 0xED ? 0x9F : LAST_CONTINUATION; // no surrogates
        } else {
            missing = 3;
            lowest = b == 0xF0 ? 0x90 : FIRST_CONTINUATION;
            highest = b == 0xF4 ? 0x8F : LAST_CONTINUATION; // up to U+10FFFF
        }
        return true;
    }
}

package dev.tidestream.server.transport.websocket;

import java.nio.ByteBuffer;

/**
 * From a client's bytes to what its frames say; RFC 6455, section 5. Event loop.
 *
 * <pre>
 * byte 0   FIN (80) RSV (70) opcode (0F)      0 continuation, 1 text, 2 binary, 8 close, 9 ping, A pong
 * byte 1   MASK (80) length (7F)              126: 2 more bytes of length, 127: 8 more; the shortest form that will do
 *          mask (4)
 *          payload, each byte xor mask[i mod 4]
 * </pre>
 *
 * <p>Nothing is kept but the header of the frame that comes and the payload of a control frame (125 bytes): payloads of data
 * frames are handed on as they come, as if the client had cut its frames there, which makes no difference to RFC 6455. Each
 * byte is judged when it comes: a frame is refused at the byte that is wrong with it, and text at the byte after which it
 * cannot be UTF-8 any more. After a violation and after a close frame everything else is passed over.
 */
final class FrameDecoder {
    private static final int CONTINUATION = 0x0;
    private static final int TEXT = 0x1;
    private static final int BINARY = 0x2;
    private static final int CLOSE = 0x8;
    private static final int PING = 0x9;
    private static final int PONG = 0xA;

    private static final int FIN = 0x80;
    private static final int RESERVED_BITS = 0x70;
    private static final int OPCODE = 0x0F;
    private static final int MASKED = 0x80;
    private static final int LENGTH = 0x7F;
    private static final int LENGTH_16 = 126;
    private static final int LENGTH_64 = 127;
    private static final int MAX_CONTROL_BYTES = 125;
    private static final int MASK_BYTES = 4;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    private static final int HIGHEST_BYTE = Integer.SIZE - Byte.SIZE;

    /** What frames say. It may stop or pause the decoder. */
    interface Handler {
        /**
         * A part of a data message, never more of it than has come.
         *
         * @param text else binary
         * @param first of its message
         * @param piece unmasked, may be empty, with an array; only during the call
         * @param leftInFrame bytes that this frame has yet, at least
         * @param last of its message
         */
        void onData(boolean text, boolean first, ByteBuffer piece, long leftInFrame, boolean last);

        void onPing(byte[] payload);

        void onPong();

        /** @param code {@link CloseCode#NONE} if the frame has none */
        void onClose(int code);

        /** Said once, and the last that is said. */
        void onViolation(int code, String reason);
    }

    private enum Part {
        FIRST_BYTE,
        SECOND_BYTE,
        LENGTH,
        MASK,
        PAYLOAD,
        /** Nothing is read any more. */
        DONE
    }

    private final Handler handler;
    private final int maxFrameBytes;
    private final Utf8Checker utf8 = new Utf8Checker();

    private Part part = Part.FIRST_BYTE;
    private boolean paused;
    private boolean fin;
    private int opcode;
    private int lengthBytes; // of an extended length, yet to come
    private int shortestLength; // of the form that the length has
    private long left; // payload bytes of this frame, yet to come
    private int maskBytes; // yet to come
    private int mask; // its highest byte is for the next byte of the payload
    private ByteBuffer control = NOTHING; // payload of a control frame
    private boolean inMessage; // a data message has begun and not ended
    private boolean text; // kind of the message
    private boolean first; // nothing of the message has been handed on

    /** @param maxFrameBytes largest payload of a frame; one that announces more is a violation with {@link CloseCode#TOO_BIG} */
    FrameDecoder(Handler handler, int maxFrameBytes) {
        this.handler = handler;
        this.maxFrameBytes = maxFrameBytes;
    }

    /** Passes over everything from now on. */
    void stop() {
        part = Part.DONE;
    }

    /** Whether {@link #decode} stops after what it is at. */
    void pause(boolean stop) {
        paused = stop;
    }

    /**
     * Reads as far as it can. Leaves bytes if, and only if, it was paused.
     *
     * @param in with an array, big-endian; payload bytes are unmasked where they are
     */
    void decode(ByteBuffer in) {
        while (in.hasRemaining() && !paused) {
            switch (part) {
                case FIRST_BYTE -> firstByte(Byte.toUnsignedInt(in.get()));
                case SECOND_BYTE -> secondByte(Byte.toUnsignedInt(in.get()));
                case LENGTH -> length(Byte.toUnsignedInt(in.get()));
                case MASK -> mask(Byte.toUnsignedInt(in.get()));
                case PAYLOAD -> payload(in);
                case DONE -> in.position(in.limit());
            }
        }
    }

    private void firstByte(int b) {
        fin = (b & FIN) != 0;
        opcode = b & OPCODE;
        String wrong = (b & RESERVED_BITS) != 0
                ? "reserved bits are set: rsv=" + ((b & RESERVED_BITS) >> 4)
                : switch (opcode) {
                    case CONTINUATION -> inMessage ? null : "a continuation of nothing";
                    case TEXT, BINARY -> inMessage ? "a new message inside a fragmented one" : null;
                    case CLOSE, PING, PONG -> fin ? null : "a fragmented control frame";
                    default -> "a reserved opcode: opcode=" + opcode;
                };
        if (wrong != null) {
            violation(CloseCode.PROTOCOL_ERROR, wrong);
            return;
        }
        part = Part.SECOND_BYTE;
    }

    private void secondByte(int b) {
        int length = b & LENGTH;
        if ((b & MASKED) == 0) {
            violation(CloseCode.PROTOCOL_ERROR, "a frame that is not masked");
        } else if (isControl() && length > MAX_CONTROL_BYTES) {
            violation(CloseCode.PROTOCOL_ERROR, "a control frame of more than 125 bytes");
        } else if (opcode == CLOSE && length == 1) {
            violation(CloseCode.PROTOCOL_ERROR, "a close frame of one byte");
        } else if (length < LENGTH_16) {
            onLength(length, 0);
        } else {
            left = 0;
            shortestLength = length == LENGTH_64 ? 1 << Short.SIZE : LENGTH_16;
            lengthBytes = length == LENGTH_64 ? Long.BYTES : Short.BYTES;
            part = Part.LENGTH;
        }
    }

    private void length(int b) {
        left = (left << Byte.SIZE) | b;
        if (--lengthBytes == 0) {
            onLength(left, shortestLength);
        }
    }

    /** @param shortest below that, another form of the length would have been shorter */
    private void onLength(long length, int shortest) {
        if (length < shortest) { // below 0, too: its highest bit must not be set
            violation(CloseCode.PROTOCOL_ERROR, "a length that is not in its shortest form");
            return;
        }
        if (length > maxFrameBytes) {
            violation(CloseCode.TOO_BIG, "frame too large: bytes=" + length + ", limit=" + maxFrameBytes);
            return;
        }
        left = length;
        maskBytes = MASK_BYTES;
        part = Part.MASK;
    }

    private void mask(int b) {
        mask = (mask << Byte.SIZE) | b;
        if (--maskBytes > 0) {
            return;
        }
        part = Part.PAYLOAD;
        if (isControl()) {
            control = ByteBuffer.allocate((int) left);
        } else if (opcode != CONTINUATION) {
            first = true;
            text = opcode == TEXT;
            utf8.reset();
        }
        if (left == 0) {
            payload(NOTHING);
        }
    }

    /** What there is of the payload; ends the frame when it is all there. */
    private void payload(ByteBuffer in) {
        int bytes = (int) Math.min(left, in.remaining());
        ByteBuffer piece = in.slice(in.position(), bytes);
        in.position(in.position() + bytes);
        unmask(piece);
        left -= bytes;
        if (left == 0) {
            part = Part.FIRST_BYTE;
        }
        if (!isControl()) {
            data(piece);
            return;
        }
        control.put(piece);
        if (left == 0) {
            control.flip();
            control();
        }
    }

    private void data(ByteBuffer piece) {
        boolean last = fin && left == 0;
        if (text && !(utf8.accept(piece) && (!last || utf8.isComplete()))) {
            violation(CloseCode.INVALID_UTF8, "a text message is not UTF-8");
            return;
        }
        boolean beginning = first;
        first = false;
        inMessage = !last;
        handler.onData(text, beginning, piece, left, last);
    }

    private void control() {
        switch (opcode) {
            case PING -> handler.onPing(control.array());
            case PONG -> handler.onPong();
            default -> close();
        }
    }

    private void close() {
        boolean hasCode = control.hasRemaining();
        int code = hasCode ? Short.toUnsignedInt(control.getShort()) : CloseCode.NONE;
        if (hasCode && !CloseCode.mayBeReceived(code)) {
            violation(CloseCode.PROTOCOL_ERROR, "a close code that must not be sent: code=" + code);
            return;
        }
        utf8.reset();
        if (!utf8.accept(control) || !utf8.isComplete()) {
            violation(CloseCode.INVALID_UTF8, "the reason in a close frame is not UTF-8");
            return;
        }
        part = Part.DONE;
        handler.onClose(code);
    }

    /** Xor with the mask, eight bytes at a time; the mask is turned to where the next piece begins. */
    private void unmask(ByteBuffer piece) {
        int at = 0;
        int end = piece.limit();
        long wide = ((long) mask << Integer.SIZE) | Integer.toUnsignedLong(mask);
        for (; at + Long.BYTES <= end; at += Long.BYTES) {
            piece.putLong(at, piece.getLong(at) ^ wide);
        }
        for (; at < end; at++) {
            piece.put(at, (byte) (piece.get(at) ^ (mask >>> HIGHEST_BYTE)));
            mask = Integer.rotateLeft(mask, Byte.SIZE);
        }
    }

    private boolean isControl() {
        return opcode >= CLOSE;
    }

    private void violation(int code, String reason) {
        part = Part.DONE;
        handler.onViolation(code, reason);
    }
}

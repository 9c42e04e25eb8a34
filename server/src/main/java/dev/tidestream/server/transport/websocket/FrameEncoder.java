package dev.tidestream.server.transport.websocket;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** From what is to be said to a server's frames, which have no mask; {@link FrameDecoder} draws a frame. Any thread. */
final class FrameEncoder {
    private static final int FIN = 0x80;
    private static final int CONTINUATION = 0x0;
    private static final int TEXT = 0x1;
    private static final int CLOSE = 0x8;
    private static final int PING = 0x9;
    private static final int PONG = 0xA;
    private static final int MAX_HEADER_BYTES = 10;
    private static final int MAX_SHORT_LENGTH = 125;
    private static final int LENGTH_16 = 126;
    private static final int LENGTH_64 = 127;
    private static final int MAX_CONTROL_BYTES = 125;

    private FrameEncoder() {}

    /** A text message, in one frame if no frame needs more than so many bytes for it. */
    static void text(String text, int maxFrameBytes, Consumer<ByteBuf> frames) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        int from = 0;
        do {
            int bytes = Math.min(maxFrameBytes, utf8.length - from);
            int fin = from + bytes == utf8.length ? FIN : 0;
            frames.accept(frame(fin | (from == 0 ? TEXT : CONTINUATION), utf8, from, bytes));
            from += bytes;
        } while (from < utf8.length);
    }

    static ByteBuf ping() {
        return frame(FIN | PING, new byte[0], 0, 0);
    }

    static ByteBuf pong(byte[] payload) {
        return frame(FIN | PONG, payload, 0, payload.length);
    }

    /**
     * A close frame.
     *
     * @param code {@link CloseCode#NONE} for a frame without one
     * @param reason ASCII; what is too long for the frame is cut
     */
    static ByteBuf close(int code, String reason) {
        if (code == CloseCode.NONE) {
            return frame(FIN | CLOSE, new byte[0], 0, 0);
        }
        byte[] text = reason.getBytes(StandardCharsets.US_ASCII);
        int bytes = Math.min(text.length, MAX_CONTROL_BYTES - Short.BYTES);
        ByteBuffer payload = ByteBuffer.allocate(Short.BYTES + bytes).putShort((short) code).put(text, 0, bytes);
        return frame(FIN | CLOSE, payload.array(), 0, payload.capacity());
    }

    private static ByteBuf frame(int first, byte[] payload, int from, int bytes) {
        ByteBuf frame = Unpooled.buffer(MAX_HEADER_BYTES + bytes).writeByte(first);
        if (bytes <= MAX_SHORT_LENGTH) {
            frame.writeByte(bytes);
        } else if (bytes < 1 << Short.SIZE) {
            frame.writeByte(LENGTH_16).writeShort(bytes);
        } else {
            frame.writeByte(LENGTH_64).writeLong(bytes);
        }
        return frame.writeBytes(payload, from, bytes);
    }
}

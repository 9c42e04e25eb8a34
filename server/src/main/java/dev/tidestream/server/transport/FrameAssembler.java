package dev.tidestream.server.transport;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

import io.vertx.core.http.WebSocketFrame;

/**
 * Puts WebSocket frames together into messages. Of a message over the limit it keeps nothing but the head, and throws the
 * rest away as it comes; the connection goes on.
 */
final class FrameAssembler {
    private static final int HEAD_BYTES = 1024;

    /** What a frame has led to. */
    sealed interface Outcome {
        /** More fragments are to come, or are being thrown away. */
        record Incomplete() implements Outcome {}

        record Text(String text) implements Outcome {}

        /** Said once per message, at the fragment that crosses the limit. */
        record TooLarge(long bytes, String head) implements Outcome {}

        /** Said once per message, at its first fragment. */
        record Binary() implements Outcome {}

        /** A text message that is not UTF-8: RFC 6455 wants the connection closed with 1007. */
        record InvalidUtf8() implements Outcome {}
    }

    private static final Outcome INCOMPLETE = new Outcome.Incomplete();

    private final int maxBytes;
    private final ByteArrayOutputStream fragments = new ByteArrayOutputStream(0);
    private boolean discarding;

    FrameAssembler(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** @param frame a text, binary or continuation frame */
    Outcome accept(WebSocketFrame frame) {
        boolean first = !frame.isContinuation();
        if (first) {
            discarding = false;
            fragments.reset();
        }
        Outcome outcome = discarding ? INCOMPLETE : collect(frame);
        discarding = !frame.isFinal() && (discarding || !(outcome instanceof Outcome.Incomplete));
        return outcome;
    }

    private Outcome collect(WebSocketFrame frame) {
        if (frame.isBinary()) {
            return new Outcome.Binary();
        }
        byte[] data = frame.binaryData().getBytes();
        long bytes = (long) fragments.size() + data.length;
        if (bytes > maxBytes) {
            byte[] start = fragments.size() > 0 ? fragments.toByteArray() : data;
            fragments.reset();
            String head = new String(start, 0, Math.min(HEAD_BYTES, start.length), StandardCharsets.UTF_8);
            return new Outcome.TooLarge(bytes, head);
        }
        if (frame.isFinal() && fragments.size() == 0) {
            return decode(data);
        }
        fragments.writeBytes(data);
        return frame.isFinal() ? decode(takeFragments()) : INCOMPLETE;
    }

    private byte[] takeFragments() {
        byte[] all = fragments.toByteArray();
        fragments.reset();
        return all;
    }

    private static Outcome decode(byte[] utf8) {
        try {
            return new Outcome.Text(
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString());
        } catch (CharacterCodingException e) {
            return new Outcome.InvalidUtf8();
        }
    }
}

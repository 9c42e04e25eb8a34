package dev.tidestream.loadtest.wire.openai;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.function.BiConsumer;

import io.netty.buffer.ByteBuf;

import dev.tidestream.loadtest.wire.Socket;

/**
 * Server-sent events (WHATWG HTML, 9.2.6) of bytes as they come: lines end in CR, LF or both; comments,
 * {@code id} and {@code retry} are passed over; an event is its name and its data, whose lines are joined by line feeds.
 * What an event may have in bytes is bounded.
 */
final class SseParser {
    /** As much as a frame of a WebSocket: the same events go over both. */
    static final int MAX_EVENT_BYTES = Socket.MAX_FRAME_BYTES;

    /** What is no stream of events; the message says why. */
    static final class BadStreamException extends Exception {
        private static final long serialVersionUID = 1L;

        BadStreamException(String message) {
            super(message);
        }
    }

    private final int maxEventBytes;
    private final BiConsumer<String, String> events;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final StringBuilder data = new StringBuilder();
    private String name = "";
    private boolean some;
    private boolean afterReturn;
    private boolean begun;
    private int dataBytes;

    /** @param events is given the name of each event, empty if it has none, and its data */
    SseParser(int maxEventBytes, BiConsumer<String, String> events) {
        this.maxEventBytes = maxEventBytes;
        this.events = events;
    }

    /** @throws BadStreamException if an event is too long, or is not UTF-8 */
    void accept(ByteBuf bytes) throws BadStreamException {
        while (bytes.isReadable()) {
            byte b = bytes.readByte();
            boolean second = afterReturn && b == '\n';
            afterReturn = b == '\r';
            if (second) {
                continue;
            }
            if (b == '\n' || b == '\r') {
                int lineBytes = line.size();
                line(text(), lineBytes);
                continue;
            }
            line.write(b);
            if (dataBytes + line.size() > maxEventBytes) {
                throw new BadStreamException("an event is too long: limit=" + maxEventBytes + " bytes");
            }
        }
    }

    /** @throws BadStreamException if the stream ends within an event, which clients do not see then */
    void end() throws BadStreamException {
        if (some || line.size() > 0) {
            throw new BadStreamException("the stream ends within an event: bytes=" + (dataBytes + line.size()));
        }
    }

    private String text() throws BadStreamException {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line.toByteArray())).toString();
            line.reset();
            boolean mark = !begun && text.startsWith("\uFEFF");
            begun = true;
            return mark ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            BadStreamException bad = new BadStreamException("an event is not UTF-8: bytes=" + (dataBytes + line.size()));
            bad.initCause(e);
            throw bad;
        }
    }

    private void line(String text, int lineBytes) {
        if (text.isEmpty()) {
            if (some) {
                events.accept(name, data.toString());
            }
            data.setLength(0);
            name = "";
            some = false;
            dataBytes = 0;
            return;
        }
        int colon = text.indexOf(':');
        String field = colon < 0 ? text : text.substring(0, colon);
        String value = colon < 0 ? "" : text.substring(text.startsWith(" ", colon + 1) ? colon + 2 : colon + 1);
        switch (field) {
            case "data" -> {
                data.append(some ? "\n" : "").append(value);
                dataBytes += lineBytes;
                some = true;
            }
            case "event" -> name = value;
            default -> { } // a comment is a field without a name
        }
    }
}

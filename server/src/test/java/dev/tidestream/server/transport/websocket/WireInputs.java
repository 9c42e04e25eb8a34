package dev.tidestream.server.transport.websocket;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.FrameMutator;

/**
 * What a client might send over a WebSocket, and what is in it: messages whole and in fragments, pings between them, messages
 * that are too large, and at the end, often, a violation in the same packet, a close frame, or half a frame. The same generator
 * gives the same inputs.
 */
public final class WireInputs {
    private static final int FIN = 0x80;
    private static final int CONTINUATION = 0x0;
    private static final int TEXT = 0x1;
    private static final int BINARY = 0x2;
    private static final int CLOSE = 0x8;
    private static final int PING = 0x9;
    private static final int PONG = 0xA;
    private static final List<Integer> CODES = List.of(1000, 1001, 1011, 3000, 4999);
    private static final List<Integer> NO_CODES = List.of(0, 999, 1005, 1006, 1012, 2999, 5000);
    private static final List<byte[]> NOT_UTF8 = List.of(
            new byte[] {(byte) 0xFF}, new byte[] {(byte) 0xC0, (byte) 0x80}, new byte[] {(byte) 0xED, (byte) 0xBF},
            new byte[] {'{', (byte) 0xF4, (byte) 0x90}, new byte[] {(byte) 0xE2, (byte) 0x28});

    /** One thing that a server notices. */
    public sealed interface Event {
        record Text(String text) implements Event {}

        /** A message over the limit. */
        record TooLarge() implements Event {}

        record Binary() implements Event {}

        record Ping(String payload) implements Event {}

        /** @param code 1005 if the frame has none */
        record Close(int code) implements Event {}

        record Violation(int code) implements Event {}
    }

    /**
     * Bytes of one packet or of several.
     *
     * @param events in order; after a close and after a violation there are no others
     * @param half whether it ends in the middle of something
     */
    public record Input(byte[] bytes, List<Event> events, boolean half) {
        public Input {
            events = List.copyOf(events);
        }

        /** Whether the connection ends with it. */
        public boolean isLast() {
            @Nullable Event last = events.isEmpty() ? null : events.getLast();
            return half || last instanceof Event.Close || last instanceof Event.Violation;
        }
    }

    private final Predicate<String> usable;
    private final RandomGenerator random;
    private final FrameMutator texts;
    private final int maxMessageBytes;
    private final int maxFrameBytes;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final List<Event> events = new ArrayList<>();

    /** @param usable which texts of chance are wanted; the others are replaced by a message that no server takes */
    public WireInputs(RandomGenerator random, int maxMessageBytes, int maxFrameBytes, Predicate<String> usable) {
        this.usable = usable;
        this.random = random;
        this.texts = new FrameMutator(random);
        this.maxMessageBytes = maxMessageBytes;
        this.maxFrameBytes = maxFrameBytes;
    }

    /** The next input. */
    public Input next() {
        bytes.reset();
        events.clear();
        for (int messages = random.nextInt(4); messages > 0; messages--) {
            whole();
        }
        switch (random.nextInt(6)) {
            case 0 -> violation();
            case 1 -> notUtf8();
            case 2 -> close();
            case 3 -> {
                half();
                return new Input(bytes.toByteArray(), events, true);
            }
            default -> whole();
        }
        return new Input(bytes.toByteArray(), events, false);
    }

    /** A frame of which the end is missing, or a message of which the last frame is. */
    private void half() {
        byte[] text = "x".repeat(1 + random.nextInt(maxMessageBytes)).getBytes(StandardCharsets.UTF_8);
        byte[] frame = frame(random.nextBoolean() ? FIN | TEXT : TEXT, text);
        bytes.write(frame, 0, 1 + random.nextInt(frame.length - 1));
    }

    private void whole() {
        switch (random.nextInt(8)) {
            case 0 -> ping();
            case 1 -> bytes.writeBytes(frame(FIN | PONG, noise(random.nextInt(126))));
            case 2 -> {
                events.add(new Event.Binary()); // said at its first byte
                message(BINARY, noise(random.nextInt(maxFrameBytes)), false);
            }
            case 3 -> {
                byte[] large = new byte[maxMessageBytes + 1 + random.nextInt(maxMessageBytes)];
                Arrays.fill(large, (byte) 'x');
                message(TEXT, large, false);
                events.add(new Event.TooLarge());
            }
            default -> {
                String text = text();
                message(TEXT, text.getBytes(StandardCharsets.UTF_8), true);
                events.add(new Event.Text(text));
            }
        }
    }

    /** A text of at most the limit, mostly a broken frame of the protocol. */
    private String text() {
        String text = texts.next();
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        boolean survives = utf8.length <= maxMessageBytes && new String(utf8, StandardCharsets.UTF_8).equals(text);
        return survives && usable.test(text) ? text : "{\"type\":\"cancel\",\"id\":\"é🌊" + random.nextInt() + "\"}";
    }

    private void ping() {
        byte[] payload = new byte[random.nextInt(126)];
        Arrays.fill(payload, (byte) ('a' + random.nextInt(26)));
        bytes.writeBytes(frame(FIN | PING, payload));
        events.add(new Event.Ping(new String(payload, StandardCharsets.US_ASCII)));
    }

    /** A message in one frame or in several, with pings between them. */
    private void message(int opcode, byte[] payload, boolean pings) {
        int frames = random.nextBoolean() ? 1 : 1 + random.nextInt(5);
        int at = 0;
        for (int i = 0; i < frames; i++) {
            int end = i == frames - 1 ? payload.length : at + random.nextInt(payload.length - at + 1);
            int first = (i == 0 ? opcode : CONTINUATION) | (i == frames - 1 ? FIN : 0);
            bytes.writeBytes(frame(first, Arrays.copyOfRange(payload, at, end)));
            at = end;
            if (pings && i < frames - 1 && random.nextInt(4) == 0) {
                ping();
            }
        }
    }

    private void violation() {
        byte[] some = noise(1 + random.nextInt(20));
        byte[] wrong = switch (random.nextInt(8)) {
            case 0 -> frame(FIN | TEXT | (1 + random.nextInt(7)) << 4, some);
            case 1 -> frame(FIN | (3 + random.nextInt(5)), some);
            case 2 -> frame(FIN | (0xB + random.nextInt(5)), some);
            case 3 -> frame(PING, some);
            case 4 -> frame(FIN | PING, noise(126 + random.nextInt(1000)));
            case 5 -> frame(FIN | CONTINUATION, some);
            case 6 -> new byte[] {(byte) (FIN | TEXT), (byte) some.length}; // no mask
            default -> frame(FIN | CLOSE, new byte[] {some[0]});
        };
        if (random.nextInt(10) == 0) {
            long length = Math.max(1L << 16, maxFrameBytes + 1L);
            wrong = ByteBuffer.allocate(10).put((byte) (FIN | TEXT)).put((byte) 0xFF).putLong(length).array();
            end(wrong, new Event.Violation(1009));
        } else {
            end(wrong, new Event.Violation(1002));
        }
    }

    private void notUtf8() {
        byte[] wrong = NOT_UTF8.get(random.nextInt(NOT_UTF8.size()));
        byte[] message = Arrays.copyOf(wrong, wrong.length + random.nextInt(100)); // the rest may come or not
        if (random.nextBoolean()) {
            bytes.writeBytes(frame(TEXT, "é".repeat(random.nextInt(50)).getBytes(StandardCharsets.UTF_8)));
            end(frame(CONTINUATION, message), new Event.Violation(1007));
        } else {
            end(frame(FIN | TEXT, message), new Event.Violation(1007));
        }
    }

    private void close() {
        switch (random.nextInt(4)) {
            case 0 -> end(frame(FIN | CLOSE, new byte[0]), new Event.Close(1005));
            case 1 -> end(closeFrame(NO_CODES.get(random.nextInt(NO_CODES.size())), new byte[0]), new Event.Violation(1002));
            case 2 -> end(closeFrame(1000, NOT_UTF8.get(0)), new Event.Violation(1007));
            default -> {
                int code = CODES.get(random.nextInt(CODES.size()));
                end(closeFrame(code, "ü".repeat(random.nextInt(60)).getBytes(StandardCharsets.UTF_8)), new Event.Close(code));
            }
        }
    }

    private static byte[] payloadOfClose(int code, byte[] reason) {
        return ByteBuffer.allocate(Short.BYTES + reason.length).putShort((short) code).put(reason).array();
    }

    private byte[] closeFrame(int code, byte[] reason) {
        return frame(FIN | CLOSE, payloadOfClose(code, reason));
    }

    /** The end of the connection, and perhaps what must not be looked at any more. */
    private void end(byte[] frame, Event event) {
        bytes.writeBytes(frame);
        events.add(event);
        if (random.nextBoolean()) {
            byte[] late = "{\"type\":\"cancel\",\"id\":\"after the end\"}".getBytes(StandardCharsets.UTF_8);
            bytes.writeBytes(frame(FIN | TEXT, late));
            bytes.writeBytes(frame(FIN | PING, new byte[] {'z'}));
        }
    }

    private byte[] noise(int length) {
        byte[] noise = new byte[length];
        random.nextBytes(noise);
        return noise;
    }

    /** A frame with a mask of chance. */
    private byte[] frame(int first, byte[] payload) {
        ByteBuffer frame = ByteBuffer.allocate(14 + payload.length).put((byte) first);
        if (payload.length < 126) {
            frame.put((byte) (0x80 | payload.length));
        } else if (payload.length < 1 << 16) {
            frame.put((byte) (0x80 | 126)).putShort((short) payload.length);
        } else {
            frame.put((byte) (0x80 | 127)).putLong(payload.length);
        }
        byte[] mask = noise(4);
        frame.put(mask);
        for (int i = 0; i < payload.length; i++) {
            frame.put((byte) (payload[i] ^ mask[i % 4]));
        }
        return Arrays.copyOf(frame.array(), frame.position());
    }
}

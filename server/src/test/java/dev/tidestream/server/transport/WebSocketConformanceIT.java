package dev.tidestream.server.transport;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * What RFC 6455 asks of a server and the Autobahn test suite checks (its numbers in the names of groups), with a client that does
 * what no decent one would. "Answered" is a message that this protocol refuses: it needs no engine, so its answer is due at once.
 */
@ExtendWith(NettyLeakCheck.class)
class WebSocketConformanceIT {
    private static final int FIN = 0x80;
    private static final int CONTINUATION = 0x0;
    private static final int TEXT = 0x1;
    private static final int BINARY = 0x2;
    private static final int CLOSE = 0x8;
    private static final int PING = 0x9;
    private static final int PONG = 0xA;
    private static final byte[] NOTHING = {};
    private static final byte[] QUESTION = utf8("{\"type\":\"cancel\",\"id\":\"ghost\"}");

    private static TestServer server;

    @BeforeAll
    static void start() throws Exception {
        server = new TestServer();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] frame(int first, byte[] payload) {
        return RawSocket.frameOf(first, payload);
    }

    private static byte[] question() {
        return frame(FIN | TEXT, QUESTION);
    }

    private static byte[] closeFrame(int code, byte[] reason) {
        return frame(FIN | CLOSE, ByteBuffer.allocate(2 + reason.length).putShort((short) code).put(reason).array());
    }

    private static RawSocket client() throws IOException {
        return new RawSocket(server.port());
    }

    /** One answer for each question, then the close frame, then the end of file: nothing between, nothing after. */
    private static void expect(RawSocket raw, int answers, int code) throws IOException {
        List<RawSocket.Frame> frames = raw.untilEnd();
        assertEquals(answers + 1, frames.size(), frames.toString());
        for (RawSocket.Frame answer : frames.subList(0, answers)) {
            assertTrue(answer.text().contains("\"failed\""), frames.toString());
        }
        assertEquals(CLOSE, frames.getLast().opcode(), frames.toString());
        assertEquals(code, frames.getLast().closeCode(), frames.toString());
    }

    // ---- 2: pings and pongs

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 124, 125})
    void shouldEchoThePayloadOfAPing(int bytes) throws Exception {
        byte[] payload = new byte[bytes];
        Arrays.fill(payload, (byte) 0xFE); // not UTF-8: it need not be
        try (RawSocket raw = client()) {
            raw.bytes(frame(FIN | PING, payload), frame(FIN | PONG, payload), frame(FIN | PING, NOTHING)); // a pong is nothing
            RawSocket.Frame pong = raw.next();
            assertEquals(PONG, pong.opcode());
            assertArrayEquals(payload, pong.payload());
            assertEquals(0, raw.next().payload().length);
        }
    }

    @Test
    void shouldAnswerPingsBetweenFragmentsAndBytes() throws Exception {
        byte[] ping = frame(FIN | PING, utf8("p"));
        try (RawSocket raw = client()) {
            raw.bytes(frame(TEXT, Arrays.copyOf(QUESTION, 10)), ping);
            assertEquals("10:p", raw.next().toString());
            byte[] rest = frame(FIN | CONTINUATION, Arrays.copyOfRange(QUESTION, 10, QUESTION.length));
            for (byte b : rest) {
                raw.bytes(new byte[] {b});
            }
            assertTrue(raw.next().text().contains("ghost"));
            for (byte b : ping) {
                raw.bytes(new byte[] {b});
            }
            assertEquals("10:p", raw.next().toString());
        }
    }

    // ---- 2, 3, 4, 5: what is no frame; behind a good one, in one packet

    /**
     * Something that is no WebSocket.
     *
     * @param answers to what it has in it before the byte that is wrong
     */
    record Violation(byte[] bytes, int answers) {
        Violation(byte[] bytes) {
            this(bytes, 0);
        }

        @Override
        public String toString() {
            return HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, 16));
        }
    }

    private static Stream<Violation> violations() {
        Stream<byte[]> reservedBits = IntStream.of(0x40, 0x20, 0x10, 0x70)
                .boxed()
                .flatMap(bits -> Stream.of(TEXT, BINARY, PING, CLOSE).map(opcode -> frame(FIN | bits | opcode, NOTHING)));
        Stream<byte[]> reservedOpcodes = IntStream.of(3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF)
                .mapToObj(o -> frame(FIN | o, utf8("x")));
        Stream<byte[]> controls = IntStream.of(PING, PONG, CLOSE).boxed()
                .flatMap(opcode -> Stream.of(frame(FIN | opcode, new byte[126]), frame(opcode, NOTHING)));
        Stream<byte[]> others = Stream.of(
                new byte[] {(byte) (FIN | TEXT), 1, 'x'}, // not masked
                frame(FIN | CLOSE, new byte[] {3}),
                frame(FIN | CONTINUATION, utf8("x")),
                frame(CONTINUATION, NOTHING),
                concat(frame(TEXT, utf8("a")), frame(FIN | TEXT, utf8("b"))),
                new byte[] {(byte) (FIN | TEXT), (byte) 0xFE, 0, 125, 0, 0, 0, 0}, // a length that needs no second byte
                new byte[] {(byte) (FIN | TEXT), (byte) 0xFF, 0, 0, 0, 0, 0, 0, (byte) 0xFF, (byte) 0xFF},
                new byte[] {(byte) (FIN | TEXT), (byte) 0xFF, (byte) 0x80, 0, 0, 0, 0, 0, 0, 0});
        return Stream.concat(
                Stream.of(reservedBits, reservedOpcodes, controls, others).flatMap(all -> all).map(Violation::new),
                Stream.of(
                        new Violation(concat(question(), frame(FIN | CONTINUATION, NOTHING)), 1),
                        new Violation(concat(frame(BINARY, utf8("a")), frame(FIN | BINARY, utf8("b"))), 1)));
    }

    private static byte[] concat(byte[] a, byte[] b) {
        return ByteBuffer.allocate(a.length + b.length).put(a).put(b).array();
    }

    @ParameterizedTest
    @MethodSource("violations")
    void shouldAnswerWhatCameBeforeAViolationAndNothingAfterIt(Violation violation) throws Exception {
        try (RawSocket raw = client()) {
            raw.bytes(question(), question(), violation.bytes(), question(), frame(FIN | PING, NOTHING));
            expect(raw, 2 + violation.answers(), 1002);
        }
    }

    /** Each byte is judged when it comes: the second of a frame need not come to refuse the first. */
    @Test
    void shouldRefuseAtTheByteThatIsWrong() throws Exception {
        for (int first : new int[] {FIN | 0x40 | TEXT, FIN | 0x3, FIN | CONTINUATION, PING}) {
            try (RawSocket raw = client()) {
                raw.bytes(new byte[] {(byte) first});
                expect(raw, 0, 1002);
            }
        }
    }

    /** The engine answers on a thread of its own: a stream that was asked for before the violation is answered in full. */
    @Test
    void shouldAnswerAStreamThatWasAskedForBeforeAViolation() throws Exception {
        byte[] generate = frame(FIN | TEXT, utf8("{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"x\",\"max_tokens\":3}"));
        for (int code : new int[] {1002, 1007, 1009}) {
            byte[] violation = switch (code) {
                case 1002 -> frame(FIN | CONTINUATION, NOTHING);
                case 1007 -> frame(FIN | TEXT, new byte[] {(byte) 0xFF});
                default -> Arrays.copyOf(frame(FIN | BINARY, new byte[TestServer.CONFIG.hardFrameBytes() + 1]), 8);
            };
            try (RawSocket raw = client()) {
                raw.bytes(generate, violation);
                List<RawSocket.Frame> frames = raw.untilEnd();
                assertEquals(6, frames.size(), "accepted, 3 tokens, finished, close: " + frames);
                assertTrue(frames.getFirst().text().contains("\"accepted\""), frames.toString());
                assertTrue(frames.get(4).text().contains("\"finished\""), frames.toString());
                assertEquals(code, frames.getLast().closeCode());
            }
        }
        server.engine.await(() -> server.engine.running() == 0);
    }

    // ---- 6: UTF-8, judged as it comes

    private static Stream<byte[]> invalidUtf8() {
        return Stream.of(
                new byte[] {(byte) 0x80}, // a continuation of nothing
                new byte[] {(byte) 0xC0, (byte) 0xAF}, // longer than need be
                new byte[] {(byte) 0xC3, (byte) 0x28},
                new byte[] {(byte) 0xE0, (byte) 0x80, (byte) 0xAF},
                new byte[] {(byte) 0xED, (byte) 0xA0, (byte) 0x80}, // a surrogate
                new byte[] {(byte) 0xF0, (byte) 0x80, (byte) 0x80, (byte) 0xAF},
                new byte[] {(byte) 0xF4, (byte) 0x90, (byte) 0x80, (byte) 0x80}, // beyond U+10FFFF
                new byte[] {(byte) 0xF8, (byte) 0x88, (byte) 0x80, (byte) 0x80, (byte) 0x80},
                new byte[] {(byte) 0xFE},
                new byte[] {(byte) 0xFF});
    }

    @ParameterizedTest
    @MethodSource("invalidUtf8")
    void shouldCloseOnTextThatIsNotUtf8(byte[] text) throws Exception {
        byte[] message = concat(utf8("κόσμε"), text);
        try (RawSocket raw = client()) {
            raw.bytes(question(), frame(FIN | TEXT, message), question());
            expect(raw, 1, 1007);
        }
        try (RawSocket raw = client()) { // in fragments of a byte; the last one never comes
            raw.bytes(frame(TEXT, NOTHING));
            for (byte b : message) {
                raw.bytes(frame(CONTINUATION, new byte[] {b}));
            }
            expect(raw, 0, 1007);
        }
        try (RawSocket raw = client()) { // in a frame of which 100 bytes never come
            byte[] announced = frame(FIN | TEXT, Arrays.copyOf(message, message.length + 100));
            raw.bytes(Arrays.copyOf(announced, announced.length - 100));
            expect(raw, 0, 1007);
        }
    }

    /** After F4, 90 cannot become a character, whatever follows; nothing does. */
    @Test
    void shouldCloseAtTheByteAfterWhichTextCannotBeUtf8() throws Exception {
        for (byte[] start : List.of(new byte[] {(byte) 0xF4, (byte) 0x90}, new byte[] {(byte) 0xED, (byte) 0xA0},
                new byte[] {(byte) 0xC1})) {
            try (RawSocket raw = client()) {
                raw.bytes(frame(TEXT, start));
                expect(raw, 0, 1007);
            }
        }
    }

    @Test
    void shouldCloseOnTextThatEndsInsideACharacter() throws Exception {
        try (RawSocket raw = client()) {
            raw.bytes(frame(TEXT, new byte[] {(byte) 0xF0, (byte) 0x9F}), frame(FIN | CONTINUATION, new byte[] {(byte) 0x8C}));
            expect(raw, 0, 1007);
        }
    }

    @Test
    void shouldPutCharactersTogetherThatFragmentsCut() throws Exception {
        byte[] text = utf8("{\"type\":\"cancel\",\"id\":\"é🌊\u0000\uFFFF\"}".replace("\u0000", "\\u0000"));
        try (RawSocket raw = client()) {
            raw.bytes(frame(TEXT, NOTHING));
            for (byte b : text) {
                raw.bytes(frame(CONTINUATION, new byte[] {b}));
            }
            raw.bytes(frame(FIN | CONTINUATION, NOTHING));
            assertTrue(raw.next().text().contains("é🌊"));
        }
    }

    /** RFC 6455, 5.5.1: streams that run beside it are cut at once, and nothing follows the close frame, not even a pong. */
    @Test
    void shouldSayNothingAfterItsCloseFrameWhileStreamsRun() throws Exception {
        try (RawSocket raw = client()) {
            for (int i = 0; i < 4; i++) {
                raw.text("{\"type\":\"generate\",\"id\":\"" + i + "\",\"prompt\":\"x\",\"max_tokens\":100000000}");
            }
            for (int accepted = 0; accepted < 4; ) {
                accepted += raw.nextText().contains("\"accepted\"") ? 1 : 0;
            }
            int cancelled = server.engine.cancelled.get();
            raw.bytes(frame(FIN | TEXT, new byte[] {(byte) 0xFF}), question(), frame(FIN | PING, NOTHING));
            List<RawSocket.Frame> frames = raw.untilEnd();
            assertEquals(1007, frames.getLast().closeCode());
            assertTrue(frames.stream().limit(frames.size() - 1).allMatch(frame -> frame.text().contains("\"token\"")));
            server.engine.await(() -> server.engine.cancelled.get() == cancelled + 4);
        }
    }

    // ---- 7: the closing handshake

    @ParameterizedTest
    @ValueSource(ints = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999})
    void shouldEchoCloseCodesThatMayBeSent(int code) throws Exception {
        try (RawSocket raw = client()) {
            raw.bytes(question(), closeFrame(code, utf8("é".repeat(61))), question(), frame(FIN | PING, NOTHING));
            expect(raw, 1, code);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 999, 1004, 1005, 1006, 1012, 1013, 1014, 1015, 1016, 1100, 2000, 2999, 5000, 65535})
    void shouldRefuseCloseCodesThatMayNot(int code) throws Exception {
        try (RawSocket raw = client()) {
            raw.bytes(question(), closeFrame(code, NOTHING));
            expect(raw, 1, 1002);
        }
    }

    @Test
    void shouldAnswerACloseFrameWithoutACode() throws Exception {
        try (RawSocket raw = client()) {
            raw.bytes(frame(FIN | CLOSE, NOTHING), closeFrame(1000, NOTHING));
            assertEquals("[8:1005]", raw.untilEnd().toString());
        }
    }

    @Test
    void shouldRefuseAReasonThatIsNotUtf8() throws Exception {
        for (byte[] reason : List.of(new byte[] {(byte) 0xCE, (byte) 0xBA, (byte) 0xE1},
                new byte[] {(byte) 0xED, (byte) 0xA0, (byte) 0x80})) {
            try (RawSocket raw = client()) {
                raw.bytes(question(), closeFrame(1000, reason));
                expect(raw, 1, 1007);
            }
        }
    }

    @Test
    void shouldPassOverTheRestOfAFragmentedMessageAfterAClose() throws Exception {
        try (RawSocket raw = client()) {
            raw.bytes(frame(TEXT, QUESTION), closeFrame(1000, NOTHING), frame(FIN | CONTINUATION, NOTHING));
            expect(raw, 0, 1000);
        }
    }

    // ---- 9: large messages

    @Test
    void shouldTakeTheLargestMessageInAnyPieces() throws Exception {
        int limit = TestServer.CONFIG.maxMessageBytes();
        byte[] message = utf8("{\"type\":\"cancel\",\"id\":\"ghost\"" + " ".repeat(limit - QUESTION.length) + "}");
        assertEquals(limit, message.length);
        for (int bytes : new int[] {1, 64, 1000, limit}) {
            try (RawSocket raw = client()) {
                for (int at = 0; at < limit; at += bytes) {
                    int end = Math.min(limit, at + bytes);
                    int first = (at == 0 ? TEXT : CONTINUATION) | (end == limit ? FIN : 0);
                    raw.bytes(frame(first, Arrays.copyOfRange(message, at, end)));
                }
                assertTrue(raw.next().text().contains("ghost"), "bytes=" + bytes);
            }
        }
    }

    /** Some clients send before they have the answer to their handshake; they are early, not wrong about a frame. */
    @Test
    void shouldReadWhatCameBehindTheHandshakeInOnePacket() throws Exception {
        String header = "Sec-WebSocket-Protocol: tidestream.v1\r\n";
        try (RawSocket raw = new RawSocket(server.port(), "GET /v1/stream", header, question())) {
            assertTrue(raw.response.startsWith("HTTP/1.1 101"), raw.response);
            assertTrue(raw.next().text().contains("ghost"));
            raw.bytes(closeFrame(1000, NOTHING));
            expect(raw, 0, 1000);
        }
    }
}

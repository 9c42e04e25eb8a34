package dev.tidestream.loadtest.wire.openai;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;

import dev.tidestream.loadtest.wire.openai.SseParser.BadStreamException;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class SseParserTest {
    private final List<String> events = new ArrayList<>();

    private SseParser parser(int maxEventBytes) {
        return new SseParser(maxEventBytes, (name, data) -> events.add(name + "|" + data));
    }

    private List<String> read(byte[] bytes, int pieceBytes) throws BadStreamException {
        events.clear();
        SseParser parser = parser(1000);
        for (int at = 0; at < bytes.length; at += pieceBytes) {
            parser.accept(Unpooled.wrappedBuffer(bytes, at, Math.min(pieceBytes, bytes.length - at)));
        }
        parser.end();
        return events;
    }

    @Test
    void shouldReadEventsWhereverTheBytesAreCut() throws Exception {
        byte[] bytes = ("\uFEFF: a comment\n\ndata: {\"ä\":1}\n\nevent: one\r\ndata:two\r\n\r\nid: 7\rdata:  three\rdata\rdata: ∞\r\r"
                + "event: nothing\n\nretry: 5\ndata:x:y\n\n").getBytes(StandardCharsets.UTF_8);
        for (int pieceBytes = 1; pieceBytes <= bytes.length; pieceBytes++) {
            assertEquals(List.of("|{\"ä\":1}", "one|two", "| three\n\n∞", "|x:y"), read(bytes, pieceBytes), "in pieces of " + pieceBytes);
        }
    }

    @Test
    void shouldRefuseAnEventWithoutEnd() {
        byte[] bytes = "data: x\n\ndata: y\n".getBytes(StandardCharsets.UTF_8);
        BadStreamException refused = assertThrows(BadStreamException.class, () -> read(bytes, 100));
        assertEquals("the stream ends within an event: bytes=7", refused.getMessage());
        assertEquals(List.of("|x"), events);
        assertThrows(BadStreamException.class, () -> read("data".getBytes(StandardCharsets.UTF_8), 100));
    }

    @Test
    void shouldBoundEventsButNotTheStream() throws Exception {
        SseParser parser = parser(20);
        byte[] comment = ": keep-alive\n".getBytes(StandardCharsets.UTF_8);
        byte[] event = "data: 12345\n\n".getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 100; i++) {
            parser.accept(Unpooled.wrappedBuffer(comment));
            parser.accept(Unpooled.wrappedBuffer(event));
        }
        assertEquals(100, events.size());
        BadStreamException line = assertThrows(BadStreamException.class, () -> parser.accept(Unpooled.wrappedBuffer(
                "data: 123456789012345".getBytes(StandardCharsets.UTF_8))));
        assertEquals("an event is too long: limit=20 bytes", line.getMessage());
        assertThrows(BadStreamException.class, () -> parser(20).accept(Unpooled.wrappedBuffer(
                "data: 1234\ndata: 5678\ndata: 9".getBytes(StandardCharsets.UTF_8))));
    }

    @Test
    void shouldRefuseWhatIsNotUtf8() {
        byte[] bytes = {'d', 'a', 't', 'a', ':', (byte) 0xC3, '\n', '\n'};
        assertEquals("an event is not UTF-8: bytes=6",
                assertThrows(BadStreamException.class, () -> read(bytes, 100)).getMessage());
    }
}

package dev.tidestream.server.logging;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class JsonEncoderTest {
    private final Logger logger = new LoggerContext().getLogger("tidestream.streams");

    private String line(String message, @Nullable Throwable thrown, Object... arguments) {
        LoggingEvent event = new LoggingEvent("", logger, Level.INFO, message, thrown, arguments);
        event.setInstant(Instant.EPOCH);
        return new String(new JsonEncoder().encode(event), StandardCharsets.UTF_8);
    }

    @Test
    void shouldWriteTheFieldsOfAnEvent() throws Exception {
        String line = line("{}", null, EventLine.of("stream").with("outcome", "length").with("stream", 7).with("total_ms", 1.23456)
                .with("ok", true).withText("label", "a \"b\"\u202e\n"));
        JsonNode json = new ObjectMapper().readTree(line);
        assertEquals(List.of("time", "level", "logger", "event", "outcome", "stream", "total_ms", "ok", "label"),
                json.properties().stream().map(java.util.Map.Entry::getKey).toList());
        assertEquals("INFO", json.path("level").asText());
        assertEquals(7, json.path("stream").intValue());
        assertEquals(1.235, json.path("total_ms").doubleValue());
        assertEquals("a \"b\"\u202e\n", json.path("label").asText());
        assertTrue(line.chars().allMatch(c -> c == '\n' || (c >= ' ' && c < 127)), line);
        assertEquals(line.length() - 1, line.indexOf('\n'));
    }

    @Test
    void shouldWriteMessagesAndExceptionsInOneLine() throws Exception {
        String line = line("failed: {}\n{}", new IllegalStateException("two\nlines"), "x", 5);
        JsonNode json = new ObjectMapper().readTree(line);
        assertEquals("failed: x\n5", json.path("message").asText());
        assertTrue(json.path("exception").asText().startsWith("java.lang.IllegalStateException: two\nlines"));
        assertEquals(line.length() - 1, line.indexOf('\n'));
    }
}

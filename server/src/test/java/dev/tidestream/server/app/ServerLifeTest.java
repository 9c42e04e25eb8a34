package dev.tidestream.server.app;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.LoggedLines;
import dev.tidestream.server.engine.EngineConfig;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ServerLifeTest {
    private static final String LOGGER = "tidestream.server";

    @Test
    void shouldSayForHowManyStreamsItWaitsAndUntilWhen() {
        Clock clock = Clock.fixed(Instant.parse("2026-11-30T11:26:06.106789Z"), ZoneId.of("Europe/Berlin"));
        try (LoggedLines logged = new LoggedLines(LOGGER)) {
            ServerLife life = new ServerLife(clock);
            life.stopping(3, 2, Duration.ofSeconds(10));
            life.stillStopping(3, 2, Duration.ofMillis(2001));
            assertEquals(List.of("INFO stopping running_streams=3 queued_streams=2 until=2026-11-30T12:26:16.106+01:00",
                    "INFO waiting running_streams=3 queued_streams=2 elapsed_ms=2001"), logged.lines());
        }
    }

    /** Whatever limits the engine gets: all of them are said. */
    @Test
    void shouldNameEveryLimitOfARecord() {
        try (LoggedLines logged = new LoggedLines(LOGGER)) {
            new ServerLife(Clock.systemUTC()).limits("engine", EngineConfig.DEFAULT);
            String line = logged.lines().getFirst();
            assertTrue(line.startsWith("INFO limits of=engine max_sequences=16 "), line);
            assertTrue(line.split(" ", -1).length >= 3 + EngineConfig.class.getRecordComponents().length, line);
        }
    }
}

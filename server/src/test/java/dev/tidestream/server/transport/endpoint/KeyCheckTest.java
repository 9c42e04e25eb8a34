package dev.tidestream.server.transport.endpoint;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;

class KeyCheckTest {
    @ParameterizedTest
    @CsvSource({"0, 0ms", "120, 120ms", "999, 999ms", "1000, 1s", "8640, 8.640s", "59999, 59.999s", "60000, 1m0s", "360000, 6m0s",
            "90500, 1m30.500s"})
    void shouldWriteTimesAsOpenAiDoes(long ms, String text) {
        assertEquals(text, KeyCheck.duration(ms));
    }
}

package dev.tidestream.server.cli;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TokenGapsTest {
    private static final long MS = 1_000_000;

    @Test
    void shouldTellBreaksFromTheRest() {
        TokenGaps gaps = new TokenGaps();
        for (int i = 0; i < 998; i++) {
            gaps.add(10 * MS, 0);
        }
        gaps.add(50 * MS, 40 * MS);
        gaps.add(30 * MS, 5 * MS);
        assertEquals(new TokenGaps.Figures(1000, 10, 10, 50, 25, 45.0 / 10_060), gaps.figures());
    }

    @Test
    void shouldSayWhenNoTokenComes() throws InterruptedException {
        TokenGaps gaps = new TokenGaps();
        assertFalse(gaps.awaitMore(1, Duration.ofNanos(1)));
        AtomicBoolean enough = new AtomicBoolean();
        Thread stream = Thread.ofPlatform().start(() -> {
            while (!enough.get()) {
                gaps.add(MS, 0);
            }
        });
        assertTrue(gaps.awaitMore(3, Duration.ofMinutes(1)));
        enough.set(true);
        stream.join();
        assertTrue(gaps.figures().tokens() >= 3);
    }

    @Test
    void shouldHaveNothingToSayOfNothing() {
        assertEquals(new TokenGaps.Figures(0, 0, 0, 0, 0, 0), new TokenGaps().figures());
    }
}

package dev.tidestream.server.bench;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.bench.TokenGaps.Gap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TokenGapsTest {
    private static final Gap GAP = new Gap(1_000_000, 0, 0, 0);

    @Test
    void shouldHaveWhatWasAddedInItsOrder() {
        TokenGaps gaps = new TokenGaps();
        assertEquals(List.of(), gaps.all());
        gaps.add(GAP);
        gaps.add(new Gap(3, 2, 1, 0));
        assertEquals(List.of(GAP, new Gap(3, 2, 1, 0)), gaps.all());
    }

    @Test
    void shouldSayWhenNoTokenComes() throws InterruptedException {
        TokenGaps gaps = new TokenGaps();
        assertFalse(gaps.awaitMore(1, Duration.ofNanos(1)));
        AtomicBoolean enough = new AtomicBoolean();
        Thread stream = Thread.ofPlatform().start(() -> {
            while (!enough.get()) {
                gaps.add(GAP);
            }
        });
        assertTrue(gaps.awaitMore(3, Duration.ofMinutes(1)));
        enough.set(true);
        stream.join();
        assertTrue(gaps.all().size() >= 3);
    }
}

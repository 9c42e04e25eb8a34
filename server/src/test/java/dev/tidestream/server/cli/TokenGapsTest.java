package dev.tidestream.server.cli;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
    void shouldHaveNothingToSayOfNothing() {
        assertEquals(new TokenGaps.Figures(0, 0, 0, 0, 0, 0), new TokenGaps().figures());
    }
}

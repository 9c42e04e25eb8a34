package dev.tidestream.loadtest.figures;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.tidestream.loadtest.plan.Slo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

class FigureTest {
    private static final long S = 1_000_000_000;

    /** A part of one second with so many tokens, and no stream that has come to its end. */
    private static Figures part(int tokens) {
        Recorder recorder = new Recorder(Slo.NONE, 0);
        recorder.openWindow(0);
        recorder.closeWindow(S);
        recorder.unseen(tokens, S / 2);
        return recorder.figures(0, 0, 0, null);
    }

    @Test
    void shouldGiveTheStandardErrorOfTheMeanOfItsParts() {
        List<Figures> parts = new ArrayList<>();
        for (int tokens : new int[] {90, 110, 90, 110}) {
            parts.add(part(tokens));
        }
        assertEquals(Math.sqrt(400 / 3.0 / 4), Figure.noise(parts).getOrDefault(Figure.TOKENS_PER_S, -1.0), 1e-9);
        assertFalse(Figure.noise(parts).containsKey(Figure.TTFT_P50), "no part has one");
        assertFalse(Figure.noise(parts.subList(0, 3)).containsKey(Figure.TOKENS_PER_S), "too few parts");
    }
}

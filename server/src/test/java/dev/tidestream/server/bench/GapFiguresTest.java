package dev.tidestream.server.bench;

import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.bench.GapFigures.Phase;
import dev.tidestream.server.bench.TokenGaps.Gap;

import static org.junit.jupiter.api.Assertions.assertEquals;

class GapFiguresTest {
    private static final long MS = 1_000_000;

    private static Gap gap(long ms, long breakMs, long stolenMs, long computedMs) {
        return new Gap(ms * MS, breakMs * MS, stolenMs * MS, computedMs * MS);
    }

    @Test
    void shouldTellBreaksAndStolenTimeFromTheRest() {
        List<Gap> usual = Collections.nCopies(997, gap(10, 0, 0, 9));
        List<Gap> gaps = Stream.concat(usual.stream(), Stream.of(gap(50, 40, 0, 30), gap(30, 5, 20, 7), gap(24, 4, 0, 20))).toList();
        assertEquals(new GapFigures(1000, 10, 10, 50, 25, 49.0 / 10_074, 20, 2.5, 0.7, 2, 1),
                GapFigures.of(List.of(new Phase(gaps, 10 * MS))));
    }

    /** A gap counts beside the quiet around it, not beside the quietest of all. */
    @Test
    void shouldCompareAPhaseWithTheQuietAroundIt() {
        Phase slow = new Phase(List.of(gap(30, 0, 0, 28)), 20 * MS);
        Phase fast = new Phase(List.of(gap(18, 1, 0, 9)), 10 * MS);
        GapFigures figures = GapFigures.of(List.of(slow, fast));
        assertEquals(30, figures.longestLessBreakMs());
        assertEquals(1.7, figures.times());
        assertEquals(0.9, figures.computedTimes());
        assertEquals(0, figures.overTwice());
        assertEquals(1.7, figures.undisturbedTimes());
    }

    @Test
    void shouldHaveNothingToSayOfNothing() {
        GapFigures nothing = new GapFigures(0, 0, 0, 0, 0, 0, 0, 0, 0, Double.NaN, 0);
        assertEquals(nothing, GapFigures.of(List.of()));
        assertEquals(nothing, GapFigures.of(List.of(new Phase(List.of(), 0))));
    }

    @Test
    void shouldNotCallAPhaseUndisturbedThatHasNoSuchGap() {
        Phase disturbed = new Phase(List.of(gap(30, 0, 10, 9)), 10 * MS);
        assertEquals(new GapFigures(1, 30, 30, 30, 30, 0, 10, 3, 0.9, Double.NaN, 1), GapFigures.of(List.of(disturbed)));
    }

    @Test
    void shouldTakeTheUpperMedian() {
        assertEquals(0, GapFigures.medianNs(List.of()));
        assertEquals(20 * MS, GapFigures.medianNs(List.of(gap(20, 0, 0, 0), gap(10, 0, 0, 0))));
        assertEquals(20 * MS, GapFigures.medianNs(List.of(gap(20, 0, 0, 0), gap(10, 0, 0, 0), gap(90, 0, 0, 0))));
    }
}

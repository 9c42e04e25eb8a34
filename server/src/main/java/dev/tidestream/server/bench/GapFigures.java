package dev.tidestream.server.bench;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

import dev.tidestream.server.bench.TokenGaps.Gap;

/**
 * What can be said of the gaps between tokens in some phases; all 0, and the last not a number, if there are none. A phase is compared with the quiet around it,
 * since a host's memory is a third faster in one minute than in the next.
 *
 * @param breakShare of the time
 * @param stolenMs of all cores together
 * @param times the longest gap of a phase without the break in it, over the median with nothing built just before and after: of all
 *     phases the most
 * @param computedTimes processor time of the decode thread in that very gap, over the same median; may be more than {@code times}, see {@link Gap}
 * @param undisturbedTimes the longest of gaps in which the system counted no stolen time; not a number if there was none such
 * @param overTwice how many gaps without the break were longer than twice the median around them
 */
public record GapFigures(
        int tokens, double medianMs, double p99Ms, double longestMs, double longestLessBreakMs, double breakShare, double stolenMs,
        double times, double computedTimes, double undisturbedTimes, int overTwice) {
    private static final double NS_PER_MS = 1e6;

    /** @param quietNs median of the gaps around it with nothing built */
    public record Phase(List<Gap> gaps, long quietNs) {
        private Stream<Times> times() {
            return gaps.stream().map(gap -> new Times(gap, Math.max(1, quietNs)));
        }
    }

    /** A gap beside the median around it. */
    private record Times(Gap gap, double quietNs) {
        static final Times NONE = new Times(new Gap(0, 0, 0, 0), 1);
        static final Comparator<Times> BY_LENGTH = Comparator.comparingDouble(Times::lessBreak);

        double lessBreak() {
            return gap.lessBreakNs() / quietNs;
        }

        double computed() {
            return gap.computedNs() / quietNs;
        }
    }

    /** Of all gaps of these phases. */
    public static GapFigures of(List<Phase> phases) {
        List<Gap> gaps = phases.stream().flatMap(phase -> phase.gaps().stream()).toList();
        if (gaps.isEmpty()) {
            return new GapFigures(0, 0, 0, 0, 0, 0, 0, 0, 0, Double.NaN, 0);
        }
        List<Times> times = phases.stream().flatMap(Phase::times).toList();
        Times longest = times.stream().max(Times.BY_LENGTH).orElse(Times.NONE);
        Optional<Times> undisturbed = times.stream().filter(t -> t.gap().stolenNs() <= 0).max(Times.BY_LENGTH);
        long[] sorted = gaps.stream().mapToLong(Gap::ns).sorted().toArray();
        return new GapFigures(
                sorted.length,
                sorted[sorted.length / 2] / NS_PER_MS,
                sorted[Math.min(sorted.length - 1, (int) (sorted.length * 99L / 100))] / NS_PER_MS,
                sorted[sorted.length - 1] / NS_PER_MS,
                gaps.stream().mapToLong(Gap::lessBreakNs).max().orElse(0) / NS_PER_MS,
                (double) sum(gaps, Gap::breakNs) / Math.max(1, sum(gaps, Gap::ns)),
                sum(gaps, Gap::stolenNs) / NS_PER_MS,
                longest.lessBreak(),
                longest.computed(),
                undisturbed.map(Times::lessBreak).orElse(Double.NaN),
                (int) times.stream().filter(t -> t.lessBreak() > 2).count());
    }

    /** Of some gaps, ns; 0 if there are none. */
    public static long medianNs(List<Gap> gaps) {
        long[] sorted = gaps.stream().mapToLong(Gap::ns).sorted().toArray();
        return sorted.length == 0 ? 0 : sorted[sorted.length / 2];
    }

    private static long sum(List<Gap> gaps, ToLongFunction<Gap> what) {
        return gaps.stream().mapToLong(what).sum();
    }
}

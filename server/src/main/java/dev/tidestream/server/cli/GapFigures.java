package dev.tidestream.server.cli;

import java.util.List;
import java.util.OptionalDouble;
import java.util.function.ToLongFunction;

import dev.tidestream.server.cli.TokenGaps.Gap;

/**
 * What can be said of the gaps between tokens in some phases; all 0, and the last not a number, if there are none. A phase is compared with the quiet around it,
 * since a host's memory is a third faster in one minute than in the next.
 *
 * @param breakShare of the time
 * @param stolenMs of all cores together
 * @param times the longest gap of a phase without the break in it, over the median with nothing built just before and after: of all
 *     phases the most
 * @param undisturbedTimes the same of gaps in which the system counted no stolen time; not a number if there was none such
 */
record GapFigures(
        int tokens, double medianMs, double p99Ms, double longestMs, double longestLessBreakMs, double breakShare, double stolenMs,
        double times, double undisturbedTimes) {
    private static final double NS_PER_MS = 1e6;

    /** @param quietNs median of the gaps around it with nothing built */
    record Phase(List<Gap> gaps, long quietNs) {
        /** Nothing if there is no such gap. */
        OptionalDouble longestTimes(boolean undisturbed) {
            return gaps.stream().filter(gap -> !undisturbed || gap.stolenNs() <= 0)
                    .mapToDouble(gap -> gap.lessBreakNs() / (double) Math.max(1, quietNs)).max();
        }
    }

    static GapFigures of(List<Phase> phases) {
        List<Gap> gaps = phases.stream().flatMap(phase -> phase.gaps().stream()).toList();
        if (gaps.isEmpty()) {
            return new GapFigures(0, 0, 0, 0, 0, 0, 0, 0, Double.NaN);
        }
        long[] sorted = gaps.stream().mapToLong(Gap::ns).sorted().toArray();
        return new GapFigures(
                sorted.length,
                sorted[sorted.length / 2] / NS_PER_MS,
                sorted[Math.min(sorted.length - 1, (int) (sorted.length * 99L / 100))] / NS_PER_MS,
                sorted[sorted.length - 1] / NS_PER_MS,
                gaps.stream().mapToLong(Gap::lessBreakNs).max().orElse(0) / NS_PER_MS,
                (double) sum(gaps, Gap::breakNs) / Math.max(1, sum(gaps, Gap::ns)),
                sum(gaps, Gap::stolenNs) / NS_PER_MS,
                most(phases, false).orElse(0),
                most(phases, true).orElse(Double.NaN));
    }

    private static OptionalDouble most(List<Phase> phases, boolean undisturbed) {
        return phases.stream().flatMapToDouble(phase -> phase.longestTimes(undisturbed).stream()).max();
    }

    /** Of some gaps, ns; 0 if there are none. */
    static long medianNs(List<Gap> gaps) {
        long[] sorted = gaps.stream().mapToLong(Gap::ns).sorted().toArray();
        return sorted.length == 0 ? 0 : sorted[sorted.length / 2];
    }

    private static long sum(List<Gap> gaps, ToLongFunction<Gap> what) {
        return gaps.stream().mapToLong(what).sum();
    }
}

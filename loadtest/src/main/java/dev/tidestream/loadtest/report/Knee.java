package dev.tidestream.loadtest.report;

import java.util.List;
import java.util.Optional;

import dev.tidestream.loadtest.figures.Figures;

/** Levels of load on one target, and where more load stops giving more tokens. */
final class Knee {
    /** Of the most tokens/s: whoever has so many has as good as all. */
    static final double ENOUGH = 0.9;
    private static final int FEWEST_LEVELS = 3;

    private Knee() {}

    /**
     * One level.
     *
     * @param series whose it is
     * @param load for people
     */
    record Point(String series, String load, double level, Figures figures) {
        /** Whether its latencies are any: those of requests that never ended are not seen. */
        boolean isMeasured() {
            return figures.finished() > 0;
        }
    }

    /**
     * The lowest level with {@value #ENOUGH} of the most tokens/s. Empty if that is the highest level, since nobody knows what
     * comes behind it, or if there are fewer than three.
     *
     * @param points of one series, by level
     */
    static Optional<Point> of(List<Point> points) {
        List<Point> measured = points.stream().filter(Point::isMeasured).toList();
        double most = measured.stream().mapToDouble(point -> point.figures().tokensPerS()).max().orElse(0);
        Optional<Point> knee = measured.stream().filter(point -> point.figures().tokensPerS() >= ENOUGH * most).findFirst();
        return points.size() < FEWEST_LEVELS ? Optional.empty() : knee.filter(point -> point != points.getLast());
    }

    /** What {@link #of} found, for people. */
    static String text(String series, List<Point> points) {
        String whose = series.isEmpty() ? "" : " of " + series;
        if (points.size() < FEWEST_LEVELS || points.stream().noneMatch(Point::isMeasured)) {
            return "";
        }
        return of(points)
                .map(point -> "knee" + whose + ": " + point.load() + ", the lowest load with 90 % of the most tokens/s")
                .orElse("knee" + whose + ": not reached, the highest load still gives more tokens/s");
    }
}

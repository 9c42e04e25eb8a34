package dev.tidestream.loadtest.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

import dev.tidestream.console.Printable;
import dev.tidestream.loadtest.figures.Figure;
import dev.tidestream.loadtest.figures.Figures;

/**
 * Two reports beside each other, level by level. Two runs of one level each are always compared; otherwise a level of A is
 * compared with the same level, of the same kind of target, of B.
 *
 * @param levels that both have
 * @param others what only one of them has, for people
 */
record Comparison(List<Level> levels, List<String> others) {
    /** What is said of the verdicts. */
    static final String NOTE = "better and worse: by more than 2 % and by more than three standard errors, which are known"
            + " from eight parts of each run; what differs from run to run is not in them";

    private static final double ERRORS = 3;

    Comparison {
        levels = List.copyOf(levels);
        others = List.copyOf(others);
    }

    /** One level of load. */
    record Level(String name, RunReport.Step a, RunReport.Step b, boolean hasSlo) {
        /** All figures, but what is good where nobody said what that is. */
        List<Row> rows() {
            return Arrays.stream(Figure.values()).filter(figure -> hasSlo || figure != Figure.GOOD_SHARE)
                    .map(figure -> new Row(figure, a.figures(), b.figures(), difference(figure))).toList();
        }

        /** What must be known of the two before believing any difference, for people. */
        List<String> remarks() {
            return Stream.concat(Remarks.of(a).stream().map(remark -> "A: " + remark),
                    Remarks.of(b).stream().map(remark -> "B: " + remark)).toList();
        }

        /** What the difference of the two must exceed to be more than chance; infinite if nobody knows. */
        private double difference(Figure figure) {
            if (figure == Figure.FAILED) { // a count: its variance is about its mean
                return ERRORS * Math.sqrt(figure.of(a.figures()) + figure.of(b.figures()));
            }
            Double ofA = a.noise().get(figure);
            Double ofB = b.noise().get(figure);
            return ofA == null || ofB == null ? Double.POSITIVE_INFINITY : ERRORS * Math.hypot(ofA, ofB);
        }
    }

    /**
     * One figure of both.
     *
     * @param noise what the difference must exceed
     */
    record Row(Figure figure, Figures ofA, Figures ofB, double noise) {
        private static final double SAME = 0.02;

        String name() {
            return figure.title();
        }

        double a() {
            return figure.of(ofA);
        }

        double b() {
            return figure.of(ofB);
        }

        /** Whether A has a value. */
        boolean isKnownInA() {
            return figure.isKnown(ofA);
        }

        /** Whether B has one. */
        boolean isKnownInB() {
            return figure.isKnown(ofB);
        }

        /** B over A; {@code -} if that is no number. */
        String ratio() {
            return !isKnownInA() || !isKnownInB() || a() == 0 ? "-" : String.format(Locale.ROOT, "%.3f", b() / a());
        }

        /**
         * Of a difference beyond 2 % and beyond noise, on a machine that nobody else used: {@code better} or {@code worse};
         * otherwise {@code same}.
         */
        String verdict() {
            double difference = Math.abs(b() - a());
            if (!isKnownInA() || !isKnownInB() || difference <= SAME * Math.abs(a()) || difference <= noise || wasBusy()) {
                return "same";
            }
            return b() > a() == figure.moreIsBetter() ? "better" : "worse";
        }

        /** The verdict, or why there is none. */
        String remark() {
            if (!verdict().equals("same")) {
                return verdict();
            }
            boolean differs = isKnownInA() && isKnownInB() && Math.abs(b() - a()) > SAME * Math.abs(a());
            return !differs ? "" : wasBusy() ? "machine was busy" : Double.isInfinite(noise) ? "noise unknown" : "within noise";
        }

        private boolean wasBusy() {
            return Remarks.wasBusy(ofA) || Remarks.wasBusy(ofB);
        }
    }

    static Comparison of(RunReport a, RunReport b) {
        boolean single = a.steps().size() == 1 && b.steps().size() == 1;
        List<Level> levels = new ArrayList<>();
        List<String> others = new ArrayList<>();
        List<RunReport.Step> left = new ArrayList<>(b.steps());
        for (RunReport.Step step : a.steps()) {
            Optional<RunReport.Step> same = left.stream().filter(s -> single || name(s).equals(name(step))).findFirst();
            if (same.isPresent()) {
                left.remove(same.get());
                String other = name(same.get());
                levels.add(new Level(name(step).equals(other) ? other : name(step) + " / " + other, step, same.get(),
                        a.hasSlo() && b.hasSlo()));
            } else {
                others.add(name(step) + ": only in A");
            }
        }
        left.forEach(step -> others.add(name(step) + ": only in B"));
        return new Comparison(levels, others);
    }

    /** A table for a terminal: A, B and the change from A to B. */
    public static String text(RunReport a, RunReport b) {
        StringBuilder text = new StringBuilder();
        Comparison comparison = of(a, b);
        for (Level level : comparison.levels()) {
            line(text, "%-26s %12s %12s %9s", level.name(), "A", "B", "B / A");
            level.remarks().forEach(remark -> line(text, "  %s", remark));
            for (Row row : level.rows()) {
                line(text, "  %-24s %12s %12s %9s  %s", row.name(), value(row.isKnownInA(), row.a()),
                        value(row.isKnownInB(), row.b()),
                        row.ratio(), row.remark());
            }
        }
        line(text, "%s", NOTE);
        comparison.others().forEach(other -> line(text, "%s", other));
        return text.toString();
    }

    private static String value(boolean known, double value) {
        return known ? String.format(Locale.ROOT, "%.3f", value) : "-";
    }

    private static String name(RunReport.Step step) {
        return step.target().split(" ", 2)[0] + ", " + step.load();
    }

    @SuppressWarnings("AnnotateFormatMethod") // its annotation would be a library of its own
    private static void line(StringBuilder text, String format, Object... values) {
        text.append(Printable.line(String.format(Locale.ROOT, format, values)).stripTrailing()).append(System.lineSeparator());
    }
}

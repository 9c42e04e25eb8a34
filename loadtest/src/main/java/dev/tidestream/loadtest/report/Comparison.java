package dev.tidestream.loadtest.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

import dev.tidestream.console.Printable;
import dev.tidestream.loadtest.figures.Figures;

/**
 * Two reports beside each other, level by level. Two runs of one level each are always compared; otherwise a level of A is
 * compared with the same level, of the same kind of target, of B.
 *
 * @param levels that both have
 * @param others what only one of them has, for people
 */
record Comparison(List<Level> levels, List<String> others) {
    Comparison {
        levels = List.copyOf(levels);
        others = List.copyOf(others);
    }

    /** One level of load. */
    record Level(String name, RunReport.Step a, RunReport.Step b) {
        List<Row> rows() {
            Figures f = a.figures();
            Figures g = b.figures();
            return List.of(
                    new Row("output tokens/s", f.tokensPerS(), g.tokensPerS(), true),
                    new Row("tokens/s per stream", f.streamTokensPerS(), g.streamTokensPerS(), true),
                    new Row("requests/s", f.requestsPerS(), g.requestsPerS(), true),
                    new Row("TTFT p50, ms", f.ttft().p50(), g.ttft().p50(), false),
                    new Row("TTFT p99, ms", f.ttft().p99(), g.ttft().p99(), false),
                    new Row("inter-token p50, ms", f.itl().p50(), g.itl().p50(), false),
                    new Row("inter-token p99, ms", f.itl().p99(), g.itl().p99(), false),
                    new Row("end to end p50, ms", f.e2e().p50(), g.e2e().p50(), false),
                    new Row("end to end p99, ms", f.e2e().p99(), g.e2e().p99(), false),
                    new Row("good share", f.goodShare(), g.goodShare(), true),
                    new Row("failed requests", f.failed(), g.failed(), false));
        }
    }

    /** One figure of both. */
    record Row(String name, double a, double b, boolean moreIsBetter) {
        private static final double NOISE = 0.02;

        /** B over A; {@code -} if that is no number. */
        String ratio() {
            return a == 0 ? "-" : String.format(Locale.ROOT, "%.3f", b / a);
        }

        /** {@code better}, {@code worse}, or {@code same} within 2 %. */
        String verdict() {
            if (Math.abs(b - a) <= NOISE * Math.abs(a)) {
                return "same";
            }
            return b > a == moreIsBetter ? "better" : "worse";
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
                levels.add(new Level(name(step).equals(other) ? other : name(step) + " / " + other, step, same.get()));
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
            for (Row row : level.rows()) {
                line(text, "  %-24s %12.3f %12.3f %9s  %s", row.name(), row.a(), row.b(), row.ratio(),
                        row.verdict().equals("same") ? "" : row.verdict());
            }
        }
        comparison.others().forEach(other -> line(text, "%s", other));
        return text.toString();
    }

    private static String name(RunReport.Step step) {
        return step.target().split(" ", 2)[0] + ", " + step.load();
    }

    @SuppressWarnings("AnnotateFormatMethod") // its annotation would be a library of its own
    private static void line(StringBuilder text, String format, Object... values) {
        text.append(Printable.line(String.format(Locale.ROOT, format, values)).stripTrailing()).append(System.lineSeparator());
    }
}

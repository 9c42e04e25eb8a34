package dev.tidestream.loadtest.report;

import java.util.Locale;
import java.util.Optional;

import dev.tidestream.loadtest.figures.Figures;

/** Two reports beside each other, level by level. */
public final class Comparison {
    private Comparison() {}

    /** A table for a terminal: A, B and the change from A to B. Levels that only one of them has are left out, and said. */
    public static String text(RunReport a, RunReport b) {
        StringBuilder text = new StringBuilder();
        for (RunReport.Step left : a.steps()) {
            Optional<RunReport.Step> same = a.steps().size() == 1 && b.steps().size() == 1 ? Optional.of(b.steps().getFirst())
                    : b.steps().stream().filter(s -> s.load().equals(left.load()) && kind(s).equals(kind(left))).findFirst();
            if (same.isEmpty()) {
                line(text, "%s, %s: only in A", kind(left), left.load());
                continue;
            }
            Figures f = left.figures();
            Figures g = same.get().figures();
            line(text, "%-26s %12s %12s %9s", kind(left) + ", " + left.load(), "A", "B", "B / A");
            row(text, "output tokens/s", f.tokensPerS(), g.tokensPerS());
            row(text, "tokens/s per stream", f.tokensPerSPerStream(), g.tokensPerSPerStream());
            row(text, "requests/s", f.requestsPerS(), g.requestsPerS());
            row(text, "TTFT p50, ms", f.ttft().p50(), g.ttft().p50());
            row(text, "TTFT p99, ms", f.ttft().p99(), g.ttft().p99());
            row(text, "inter-token p50, ms", f.itl().p50(), g.itl().p50());
            row(text, "inter-token p99, ms", f.itl().p99(), g.itl().p99());
            row(text, "end to end p50, ms", f.e2e().p50(), g.e2e().p50());
            row(text, "end to end p99, ms", f.e2e().p99(), g.e2e().p99());
            row(text, "good share", f.goodShare(), g.goodShare());
        }
        return text.toString();
    }

    private static String kind(RunReport.Step step) {
        return step.target().split(" ", 2)[0];
    }

    private static void row(StringBuilder text, String name, double a, double b) {
        line(text, "  %-24s %12.3f %12.3f %9s", name, a, b, a == 0 ? "-" : String.format(Locale.ROOT, "%.3f", b / a));
    }

    @SuppressWarnings("AnnotateFormatMethod") // its annotation would be a library of its own
    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append(System.lineSeparator());
    }
}

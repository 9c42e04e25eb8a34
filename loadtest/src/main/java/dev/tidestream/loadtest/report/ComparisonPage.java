package dev.tidestream.loadtest.report;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.ToDoubleFunction;

import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Sample;

import static dev.tidestream.loadtest.report.Page.esc;

/** Two runs on one page: curves of both in the same charts, figures with the change. */
final class ComparisonPage {
    private ComparisonPage() {}

    static String of(RunReport a, RunReport b) {
        Page page = new Page(a.name() + " / " + b.name());
        page.add("<h1>Two runs compared</h1>");
        run(page, "A", a);
        run(page, "B", b);
        environments(page, a, b);
        Comparison comparison = Comparison.of(a, b);
        if (comparison.levels().isEmpty()) {
            page.add("<p class=\"warn\">The two have no level of load in common.</p>");
        }
        if (a.steps().size() > 1 && b.steps().size() > 1) {
            page.add(knee("compare-ttft", "Latency and throughput: first token", "TTFT p99, ms", a, b, f -> f.ttft().p99()));
            page.add(knee("compare-itl", "Latency and throughput: between tokens", "inter-token p50, ms", a, b,
                    f -> f.itl().p50()));
        }
        boolean several = comparison.levels().size() > 1;
        for (int i = 0; i < comparison.levels().size(); i++) {
            Comparison.Level level = comparison.levels().get(i);
            page.add("<h2>%s</h2>", esc(level.name()));
            level.remarks().forEach(remark -> page.add("<p class=\"warn\">%s</p>", esc(remark)));
            table(page, level);
            page.add(several ? "<details><summary>Curves</summary>" : "");
            charts(page, level, i);
            page.add(several ? "</details>" : "");
        }
        page.add("<p class=\"soft\">%s</p>", esc(Comparison.NOTE));
        comparison.others().forEach(other -> page.add("<p class=\"soft\">%s</p>", esc(other)));
        return page.end();
    }

    private static void run(Page page, String letter, RunReport report) {
        page.add("<p class=\"soft\"><b>%s</b>: %s, %s <span class=\"verdict %s\">%s</span> · loadtest %s</p>", letter,
                esc(report.name()), esc(report.startedAt()), report.ok() ? "ok" : "failed", report.ok() ? "OK" : "FAILED",
                esc(report.command()));
    }

    /** What was measured and where, of both. */
    private static void environments(Page page, RunReport a, RunReport b) {
        Set<String> names = new LinkedHashSet<>(a.environment().keySet());
        names.addAll(b.environment().keySet());
        page.add("<table class=\"facts\"><tr><th></th><th class=\"text\">A</th><th class=\"text\">B</th></tr>");
        for (String name : names) {
            page.add("<tr><td>%s</td><td>%s</td><td>%s</td></tr>", esc(name), esc(a.environment().getOrDefault(name, "–")),
                    esc(b.environment().getOrDefault(name, "–")));
        }
        page.add("</table>");
    }

    /** One line for each kind of target that both may have. */
    private static Chart knee(String id, String title, String yLabel, RunReport a, RunReport b, ToDoubleFunction<Figures> of) {
        Chart chart = new Chart(id, title, "output tokens/s", yLabel, Chart.Scale.LINEAR);
        for (RunReport report : List.of(a, b)) {
            List<String> targets = report.steps().stream().map(RunReport.Step::name).distinct().toList();
            for (String target : targets) {
                String name = (report == a ? "A" : "B") + (targets.size() > 1 ? " " + target : "");
                chart.line(name, report.steps().stream().filter(s -> s.name().equals(target) && s.figures().finished() > 0)
                        .map(s -> new double[] {s.figures().tokensPerS(), of.applyAsDouble(s.figures())}).toList());
            }
        }
        return chart;
    }

    private static void table(Page page, Comparison.Level level) {
        page.add("<div class=\"scroll\"><table><tr><th></th><th>A</th><th>B</th><th>B / A</th><th></th></tr>");
        for (Comparison.Row row : level.rows()) {
            page.add("<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td class=\"%s\">%s</td></tr>", esc(row.name()),
                    value(row.isKnownInA(), row.a()), value(row.isKnownInB(), row.b()), row.ratio(), row.verdict(), row.remark());
        }
        page.add("</table></div>");
    }

    private static void charts(Page page, Comparison.Level level, int number) {
        Figures f = level.a().figures();
        Figures g = level.b().figures();
        page.add(Page.percentiles("compare-ttft" + number, "Time to first token").line("A", Page.curve(f.ttft()))
                .line("B", Page.curve(g.ttft())));
        page.add(Page.percentiles("compare-itl" + number, "Inter-token latency").line("A", Page.curve(f.itl()))
                .line("B", Page.curve(g.itl())));
        page.add(Page.percentiles("compare-e2e" + number, "End to end").line("A", Page.curve(f.e2e()))
                .line("B", Page.curve(g.e2e())));
        page.add(Page.overTime("compare-tokens" + number, "Tokens per second over time", "tokens/s")
                .line("A", Page.series(level.a(), Sample::tokens)).line("B", Page.series(level.b(), Sample::tokens)));
    }

    private static String value(boolean known, double value) {
        return !known ? "–" : String.format(Locale.ROOT, value == Math.rint(value) ? "%.0f" : value < 10 ? "%.3f" : "%.1f",
                value);
    }
}

package dev.tidestream.loadtest.report;

import java.util.List;
import java.util.Locale;
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
        Comparison comparison = Comparison.of(a, b);
        if (comparison.levels().isEmpty()) {
            page.add("<p class=\"warn\">The two have no level of load in common.</p>");
        }
        if (a.steps().size() > 1 && b.steps().size() > 1) {
            page.add(knee("compare-ttft", "Latency and throughput: first token", "TTFT p99, ms", a, b, f -> f.ttft().p99()));
            page.add(knee("compare-itl", "Latency and throughput: between tokens", "inter-token p50, ms", a, b,
                    f -> f.itl().p50()));
        }
        for (int i = 0; i < comparison.levels().size(); i++) {
            level(page, comparison.levels().get(i), i);
        }
        comparison.others().forEach(other -> page.add("<p class=\"soft\">%s</p>", esc(other)));
        return page.end();
    }

    private static void run(Page page, String letter, RunReport report) {
        page.add("<p class=\"soft\"><b>%s</b>: %s, %s <span class=\"verdict %s\">%s</span> · loadtest %s</p>", letter,
                esc(report.name()), esc(report.startedAt()), report.ok() ? "ok" : "failed", report.ok() ? "OK" : "FAILED",
                esc(report.command()));
    }

    /** One line for each kind of target that both may have. */
    private static Chart knee(String id, String title, String yLabel, RunReport a, RunReport b, ToDoubleFunction<Figures> of) {
        Chart chart = new Chart(id, title, "output tokens/s", yLabel, Chart.Scale.LINEAR);
        for (RunReport report : List.of(a, b)) {
            List<String> targets = report.steps().stream().map(RunReport.Step::target).distinct().toList();
            for (String target : targets) {
                String name = (report == a ? "A" : "B") + (targets.size() > 1 ? " " + target.split(" ", 2)[0] : "");
                chart.line(name, report.steps().stream().filter(s -> s.target().equals(target))
                        .map(s -> new double[] {s.figures().tokensPerS(), of.applyAsDouble(s.figures())}).toList());
            }
        }
        return chart;
    }

    private static void level(Page page, Comparison.Level level, int number) {
        page.add("<h2>%s</h2><div class=\"scroll\"><table><tr><th></th><th>A</th><th>B</th><th>B / A</th><th></th></tr>",
                esc(level.name()));
        for (Comparison.Row row : level.rows()) {
            page.add("<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td class=\"%s\">%s</td></tr>", esc(row.name()),
                    value(row.a()), value(row.b()), row.ratio(), row.verdict(),
                    row.verdict().equals("same") ? "" : row.verdict());
        }
        page.add("</table></div><p class=\"soft\">Within 2 %% is the same."
                + " One run each: nobody knows what a second one would give.</p>");
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

    private static String value(double value) {
        return String.format(Locale.ROOT, value == Math.rint(value) ? "%.0f" : value < 10 ? "%.3f" : "%.1f", value);
    }
}

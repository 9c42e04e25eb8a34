package dev.tidestream.loadtest.report;

import java.util.List;
import java.util.Locale;
import java.util.Map;

import dev.tidestream.loadtest.figures.PromiseCount;
import dev.tidestream.loadtest.report.Knee.Point;

import static dev.tidestream.loadtest.report.Page.esc;

/** A report as one HTML file that needs nothing else: style and charts are inside, and there is no script. */
public final class HtmlReport {
    private HtmlReport() {}

    public static String of(RunReport report) {
        Page html = new Page(report.name());
        html.add("<h1>%s <span class=\"verdict %s\">%s</span></h1>", esc(report.name()), report.ok() ? "ok" : "failed",
                report.ok() ? "OK" : "FAILED");
        html.add("<p class=\"soft\">%s · loadtest %s</p>", esc(report.startedAt()), esc(report.command()));
        if (!report.question().isEmpty()) {
            html.add("<p>%s</p>", esc(report.question()));
        }
        if (!report.note().isEmpty()) {
            html.add("<p><b>%s</b></p>", esc(report.note()));
        }
        report.problems().forEach(problem -> html.add("<p class=\"warn\">%s</p>", esc(problem)));
        if (!report.evidence().isEmpty()) {
            html.add("<h2>Broken promises: %d</h2><pre>%s</pre>", report.breaches(),
                    esc(String.join("\n", report.evidence())));
        }
        facts(html, "Measured", report.environment());
        boolean several = report.steps().size() > 1;
        if (several) {
            List<Point> points = report.steps().stream()
                    .map(step -> new Point(step.name(), step.load(), step.level(), step.figures())).toList();
            SweepSection.add(html, "sweep", "Sweep", points, report.hasSlo());
        }
        for (int i = 0; i < report.steps().size(); i++) {
            RunReport.Step step = report.steps().get(i);
            if (several) { // each can be unfolded: a sweep is long
                int remarks = Remarks.of(step).size();
                html.add("<details><summary><b>%s</b> %s <span class=\"none\">%s</span></summary>", esc(step.title()),
                        esc(summary(step)),
                        remarks == 0 ? "" : remarks == 1 ? "1 remark" : remarks + " remarks");
                StepSection.add(html, step, i, report.hasSlo());
                html.add("</details>");
            } else {
                html.add("<h2>Result</h2>");
                StepSection.add(html, step, i, report.hasSlo());
            }
        }
        promises(html, report);
        facts(html, "Settings", report.settings());
        return html.end();
    }

    /** Two runs side by side: their charts in one, their figures with the change. */
    public static String compare(RunReport a, RunReport b) {
        return ComparisonPage.of(a, b);
    }

    private static String summary(RunReport.Step step) {
        return step.figures().finished() == 0 ? "no request finished"
                : String.format(Locale.ROOT, "%.1f tokens/s, TTFT p50 %.1f ms, inter-token p50 %.2f ms",
                        step.figures().tokensPerS(),
                        step.figures().ttft().p50(), step.figures().itl().p50());
    }

    private static void promises(Page html, RunReport report) {
        html.add("<h2>What was checked</h2><p>%s.</p>", esc(report.checkedText()));
        html.add("<div class=\"scroll\"><table><tr><th>promise</th><th>checked</th><th class=\"text\"></th><th>broken</th></tr>");
        for (PromiseCount count : report.promiseCounts()) {
            if (count.checked() > 0) {
                html.add("<tr><td>%s</td><td>%,d</td><td class=\"text\">%s</td><td class=\"%s\">%,d</td></tr>",
                        esc(count.promise().text()),
                        count.checked(), esc(count.promise().unit()), count.broken() > 0 ? "worse" : "", count.broken());
            } else {
                html.add("<tr><td class=\"soft\">%s</td>"
                        + "<td class=\"soft\" colspan=\"3\">not checked: nothing of the kind happened</td></tr>",
                        esc(count.promise().text()));
            }
        }
        html.add("</table></div>");
    }

    private static void facts(Page html, String title, Map<String, String> facts) {
        if (!facts.isEmpty()) {
            html.add("<h2>%s</h2><table class=\"facts\">", esc(title));
            facts.forEach((name, value) -> html.add("<tr><td>%s</td><td>%s</td></tr>", esc(name), esc(value)));
            html.add("</table>");
        }
    }
}

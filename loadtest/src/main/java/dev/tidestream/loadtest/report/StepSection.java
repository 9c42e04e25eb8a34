package dev.tidestream.loadtest.report;

import java.util.List;
import java.util.Locale;
import java.util.TreeMap;

import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Latency;
import dev.tidestream.loadtest.figures.Mark;
import dev.tidestream.loadtest.figures.Sample;
import dev.tidestream.loadtest.report.Knee.Point;

import static dev.tidestream.loadtest.report.Page.esc;

/** One level of load on one target: figures, percentiles, what happened over time. */
final class StepSection {
    private StepSection() {}

    /** @param hasSlo whether it was said what a good request is */
    static void add(Page html, RunReport.Step step, int number, boolean hasSlo) {
        Figures f = step.figures();
        html.add("<p class=\"soft\">%s</p>", esc(step.target() + ", " + step.load()));
        html.add("<div class=\"tiles\">");
        tile(html, "output tokens/s", format("%.1f", f.tokensPerS()));
        tile(html, "tokens/s per stream", f.tpot().count() == 0 ? "–" : format("%.1f", f.streamTokensPerS()));
        tile(html, "requests/s", format("%.2f", f.requestsPerS()));
        tile(html, "TTFT p50 / p99, ms", f.ttft().count() == 0 ? "–" : format("%.1f / %.1f", f.ttft().p50(), f.ttft().p99()));
        tile(html, "ITL p50 / p99, ms", f.itl().count() == 0 ? "–" : format("%.2f / %.1f", f.itl().p50(), f.itl().p99()));
        if (hasSlo) {
            tile(html, "goodput: requests that met the SLO", format("%.1f %%", f.goodShare() * 100));
        }
        html.add("</div>");
        Remarks.of(step).forEach(remark -> html.add("<p class=\"warn\">%s</p>", esc(remark)));
        html.add(Page.percentiles("percentiles" + number, "Latency by percentile").logarithmic()
                .line("TTFT", Page.curve(f.ttft())).line("inter-token", Page.curve(f.itl()))
                .line("end to end", Page.curve(f.e2e())));
        timeline(html, step, number);
        table(html, f);
        NodesSection.add(html, step.servers(), step.kills());
        if (!step.stages().isEmpty()) {
            SweepSection.add(html, "stages" + number, "As the load changes", step.stages().stream()
                    .map(stage -> new Point("", stage.load(), stage.level(), stage.figures())).toList(), hasSlo);
        }
    }

    private static void tile(Page html, String name, String value) {
        html.add("<div class=\"tile\"><b>%s</b>%s</div>", esc(value), esc(name));
    }

    private static void timeline(Page html, RunReport.Step step, int number) {
        Chart tokens = Page.overTime("tokens" + number, "Tokens per second over time", "tokens/s")
                .line("tokens/s", Page.series(step, Sample::tokens));
        Chart latency = Page.overTime("timeline" + number, "Slowest first token and longest gap over time", "ms")
                .line("TTFT max", Page.series(step, Sample::ttftMs)).line("gap max", Page.series(step, Sample::itlMs));
        if (step.samples().stream().anyMatch(sample -> sample.slowItlMs() > 0)) {
            latency.line("gap max of slow readers", Page.series(step, Sample::slowItlMs));
        }
        Chart running = Page.overTime("running" + number, "Streams over time", "streams")
                .line("running", Page.series(step, s -> (double) s.running()));
        if (!step.stages().isEmpty()) {
            running.line("load wanted (streams, or requests/s)", Page.series(step, Sample::level));
        }
        for (Chart chart : List.of(tokens, latency)) {
            if (step.windowStartS() > 0) {
                chart.band(0, step.windowStartS(), "warm-up", "warm-up, not measured");
            }
            chart.band(step.windowStartS(), step.windowEndS(), "measured", "measured");
            for (Mark mark : step.marks()) {
                chart.event(mark.atS(), mark.atS() + mark.forS(), mark.kind(),
                        String.format(Locale.ROOT, "%s, at %.2f s for %.0f ms", mark.what(), mark.atS(), mark.forS() * 1e3));
            }
        }
        html.add(tokens).add(latency).add(running);
    }

    private static void table(Page html, Figures f) {
        html.add("<div class=\"scroll\"><table><tr><th>latency,"
                + " ms</th><th>p50</th><th>p90</th><th>p95</th><th>p99</th><th>p99.9</th>"
                + "<th>max</th><th>mean</th><th>count</th></tr>");
        row(html, "time to first token", f.ttft());
        row(html, "of these, later turns", f.laterTtft());
        row(html, "inter-token", f.itl());
        row(html, "time per output token", f.tpot());
        row(html, "end to end", f.e2e());
        row(html, "lateness of the client", f.lateness());
        new TreeMap<>(f.admin()).forEach((kind, latency) -> row(html, "admin: " + kind, latency));
        html.add("</table></div><p class=\"soft\">%d requests in %.1f s: %d finished, %d failed, %d cancelled, %d vanished."
                + " Errors: %s. Client: %.2f cores, I/O thread %.0f %% busy.", f.requests(), f.seconds(), f.finished(),
                f.failed(), f.cancelled(), f.vanished(),
                esc(f.errors().isEmpty() ? "none" : new TreeMap<>(f.errors()).toString()), f.client().cores(),
                f.client().ioShare() * 100);
        Figures.ServerUse server = f.server();
        if (server != null) {
            html.add(" Server: %.2f cores, %.0f MiB resident.", server.cores(), server.rssMb());
        }
        if (f.cachedTokens() > 0) {
            html.add(" Prompts: %d tokens, %d of them not computed again (cached_tokens).", f.promptTokens(), f.cachedTokens());
        }
        Figures.Resumes resumes = f.resumes();
        if (resumes != null) {
            html.add(" Resumed: %d of %d dropped; tokens lost %d, repeated %d; refused: %s.", resumes.resumed(), resumes.dropped(),
                    resumes.lost(), resumes.repeated(),
                    esc(resumes.refused().isEmpty() ? "none" : new TreeMap<>(resumes.refused()).toString()));
        }
        html.add("</p>");
        new TreeMap<>(f.errorExamples()).forEach((code, why) -> html.add("<p class=\"soft\">%s: %s</p>", esc(code), esc(why)));
    }

    private static void row(Page html, String name, Latency l) {
        if (l.count() > 0) {
            html.add("<tr><td>%s</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td>"
                    + "<td>%d</td></tr>", esc(name), l.p50(), l.p90(), l.p95(), l.p99(), l.p999(), l.max(), l.mean(),
                    l.count());
        }
    }

    @SuppressWarnings("AnnotateFormatMethod") // its annotation would be a library of its own
    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}

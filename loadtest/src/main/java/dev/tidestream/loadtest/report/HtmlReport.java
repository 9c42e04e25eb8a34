package dev.tidestream.loadtest.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Latency;
import dev.tidestream.loadtest.figures.Mark;
import dev.tidestream.loadtest.figures.Sample;

/** A report as one HTML file that needs nothing else: style and charts are inside, and there is no script. */
public final class HtmlReport {
    private HtmlReport() {}

    public static String of(RunReport report) {
        Page html = new Page(report.name());
        html.add("<h1>%s <span class=\"verdict %s\">%s</span></h1>", Page.esc(report.name()), report.ok() ? "ok" : "failed",
                report.ok() ? "OK" : "FAILED");
        html.add("<p class=\"soft\">%s · loadtest %s</p>", Page.esc(report.startedAt()), Page.esc(report.command()));
        if (!report.note().isEmpty()) {
            html.add("<p><b>%s</b></p>", Page.esc(report.note()));
        }
        report.problems().forEach(problem -> html.add("<p class=\"warn\">%s</p>", Page.esc(problem)));
        if (!report.evidence().isEmpty()) {
            html.add("<h2>Broken promises: %d</h2><pre>%s</pre>", report.breaches(),
                    Page.esc(String.join("\n", report.evidence())));
        }
        if (report.steps().size() > 1) {
            List<Point> points = report.steps().stream().map(step -> new Point(shortTarget(step), step.load(), step.level(),
                    step.figures())).toList();
            sweep(html, "sweep", "Sweep", points);
        }
        for (int i = 0; i < report.steps().size(); i++) {
            step(html, report.steps().get(i), i, report.steps().size() > 1);
        }
        settings(html, report);
        return html.end();
    }

    /** Two runs side by side: their charts in one, their figures with the change. */
    public static String compare(RunReport a, RunReport b) {
        return ComparisonPage.of(a, b);
    }

    /** One level of load, of a sweep or of a run that changes it. */
    private record Point(String series, String load, double level, Figures figures) {}

    private static void sweep(Page html, String id, String title, List<Point> all) {
        html.add("<h2>%s</h2>", Page.esc(title));
        Map<String, List<Point>> bySeries = new LinkedHashMap<>();
        all.forEach(point -> bySeries.computeIfAbsent(point.series(), _ -> new ArrayList<>()).add(point));
        bySeries.values().forEach(points -> points.sort(Comparator.comparingDouble(Point::level)));
        Chart ttft = new Chart(id + "-ttft", "Latency and throughput: first token", "output tokens/s", "TTFT, ms",
                Chart.Scale.LINEAR);
        Chart itl = new Chart(id + "-itl", "Latency and throughput: between tokens", "output tokens/s",
                "inter-token latency, ms", Chart.Scale.LINEAR);
        Chart throughput = new Chart(id + "-load", "Throughput by load", "load (streams, or requests/s)", "output tokens/s",
                Chart.Scale.LINEAR);
        bySeries.forEach((series, points) -> {
            String name = bySeries.size() > 1 ? series + " " : "";
            ttft.line(name + "p50", curve(points, Figures::ttft, Latency::p50));
            ttft.line(name + "p99", curve(points, Figures::ttft, Latency::p99));
            itl.line(name + "p50", curve(points, Figures::itl, Latency::p50));
            itl.line(name + "p99", curve(points, Figures::itl, Latency::p99));
            throughput.line(name + "tokens/s", points.stream().map(p -> new double[] {p.level(), p.figures().tokensPerS()})
                    .toList());
        });
        html.add(ttft).add(itl).add(throughput);
        html.add("<div class=\"scroll\"><table><tr><th>load</th><th>tokens/s</th><th>per stream</th><th>req/s</th>"
                + "<th>TTFT p50</th><th>TTFT p99</th><th>ITL p50</th><th>ITL p99</th><th>good</th></tr>");
        for (Point point : all) {
            Figures f = point.figures();
            html.add("<tr><td>%s</td><td>%.1f</td><td>%.1f</td><td>%.2f</td><td>%.1f</td><td>%.1f</td><td>%.2f</td><td>%.2f</td>"
                    + "<td>%.1f %%</td></tr>", Page.esc((bySeries.size() > 1 ? point.series() + ", " : "") + point.load()),
                    f.tokensPerS(), f.streamTokensPerS(), f.requestsPerS(), f.ttft().p50(), f.ttft().p99(), f.itl().p50(),
                    f.itl().p99(), f.goodShare() * 100);
        }
        html.add("</table></div><p class=\"soft\">latencies in ms</p>");
    }

    private static List<double[]> curve(List<Point> points, Function<Figures, Latency> of, ToDoubleFunction<Latency> value) {
        return points.stream()
                .map(p -> new double[] {p.figures().tokensPerS(), value.applyAsDouble(of.apply(p.figures()))})
                .toList();
    }

    private static String shortTarget(RunReport.Step step) {
        return step.target().split(" ", 2)[0];
    }

    private static void step(Page html, RunReport.Step step, int number, boolean titled) {
        Figures f = step.figures();
        html.add("<h2>%s</h2><p class=\"soft\">%s</p>", Page.esc(titled ? shortTarget(step) + ", " + step.load() : "Result"),
                Page.esc(step.target() + ", " + step.load()));
        html.add("<div class=\"tiles\">");
        tile(html, "output tokens/s", String.format(Locale.ROOT, "%.1f", f.tokensPerS()));
        tile(html, "tokens/s per stream", String.format(Locale.ROOT, "%.1f", f.streamTokensPerS()));
        tile(html, "requests/s", String.format(Locale.ROOT, "%.2f", f.requestsPerS()));
        tile(html, "TTFT p50 / p99, ms", String.format(Locale.ROOT, "%.1f / %.1f", f.ttft().p50(), f.ttft().p99()));
        tile(html, "ITL p50 / p99, ms", String.format(Locale.ROOT, "%.2f / %.1f", f.itl().p50(), f.itl().p99()));
        tile(html, "goodput at the SLO", String.format(Locale.ROOT, "%.1f %%", f.goodShare() * 100));
        html.add("</div>");
        if (f.client().bottleneck()) {
            html.add("<p class=\"warn\">The client itself may be the bottleneck: I/O thread %.0f %% busy, requests late by"
                    + " %.1f ms at p99.</p>", f.client().ioShare() * 100, f.lateness().p99());
        }
        if (f.client().othersCores() > TextReport.NOISE_CORES) {
            html.add("<p class=\"warn\">Other processes of this machine used %.2f cores meanwhile.</p>",
                    f.client().othersCores());
        }
        html.add(Page.percentiles("percentiles" + number, "Latency by percentile").logarithmic()
                .line("TTFT", Page.curve(f.ttft())).line("inter-token", Page.curve(f.itl()))
                .line("end to end", Page.curve(f.e2e())));
        timeline(html, step, number);
        table(html, f);
        if (!step.stages().isEmpty()) {
            sweep(html, "stages" + number, "As the load changes", step.stages().stream()
                    .map(stage -> new Point("", stage.load(), stage.level(), stage.figures())).toList());
        }
    }

    private static void tile(Page html, String name, String value) {
        html.add("<div class=\"tile\"><b>%s</b>%s</div>", Page.esc(value), Page.esc(name));
    }

    private static void timeline(Page html, RunReport.Step step, int number) {
        Chart tokens = Page.overTime("tokens" + number, "Tokens per second over time", "tokens/s")
                .line("tokens/s", Page.series(step, Sample::tokens));
        Chart latency = Page.overTime("timeline" + number, "Slowest first token and longest gap over time", "ms")
                .line("TTFT max", Page.series(step, Sample::ttftMs)).line("gap max", Page.series(step, Sample::itlMs));
        Chart running = Page.overTime("running" + number, "Streams over time", "streams")
                .line("running", Page.series(step, s -> (double) s.running()));
        if (!step.stages().isEmpty()) {
            running.line("load wanted (streams, or requests/s)", Page.series(step, Sample::level));
        }
        for (Chart chart : List.of(tokens, latency)) {
            chart.band(step.windowStartS(), step.windowEndS(), "measured", "measured");
            for (Mark mark : step.marks()) {
                chart.band(mark.atS(), mark.atS() + mark.forS(), mark.kind(),
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
                Page.esc(f.errors().isEmpty() ? "none" : new TreeMap<>(f.errors()).toString()), f.client().cores(),
                f.client().ioShare() * 100);
        Figures.ServerUse server = f.server();
        if (server != null) {
            html.add(" Server: %.2f cores, %.0f MiB resident.", server.cores(), server.rssMb());
        }
        html.add("</p>");
    }

    private static void row(Page html, String name, Latency l) {
        if (l.count() > 0) {
            html.add("<tr><td>%s</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td>"
                    + "<td>%d</td></tr>", Page.esc(name), l.p50(), l.p90(), l.p95(), l.p99(), l.p999(), l.max(), l.mean(),
                    l.count());
        }
    }

    private static void settings(Page html, RunReport report) {
        html.add("<h2>Settings</h2><table>");
        report.settings().forEach((name, value) -> html.add("<tr><td>%s</td><td>%s</td></tr>", Page.esc(name), Page.esc(value)));
        html.add("</table>");
    }
}

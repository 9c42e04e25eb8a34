package dev.tidestream.loadtest.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Latency;
import dev.tidestream.loadtest.figures.Mark;
import dev.tidestream.loadtest.figures.Sample;

/** A report as one HTML file that needs nothing else: style and charts are inside, and there is no script. */
public final class HtmlReport {
    private static final String STYLE = """
            :root{--ink:#1c2430;--paper:#fbfbfa;--card:#fff;--soft:#6b7686;--rule:#e3e6ea;--good:#14804a;--bad:#c0262d;
            --c0:#2f6fde;--c1:#e0762b;--c2:#2a9d6f;--c3:#9b51c4;--c4:#c8963e;--c5:#5b6b80}
            @media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--paper:#14181e;--card:#1c2129;--soft:#94a0b2;--rule:#303844;
            --good:#4cc38a;--bad:#ff6b70;--c0:#6ea3ff;--c1:#f0a060;--c2:#5cc79b;--c3:#c490e4;--c4:#e0b868;--c5:#94a0b2}}
            body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
            main{max-width:860px;margin:0 auto;padding:32px 20px 60px}
            h1{font-size:26px;margin:0}h2{font-size:18px;margin:36px 0 10px}
            .verdict{font-weight:700}.ok{color:var(--good)}.failed{color:var(--bad)}
            .soft{color:var(--soft);font-size:13px;overflow-wrap:anywhere}
            .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(230px,1fr));gap:12px;margin:20px 0}
            .tile,figure{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:12px 14px}
            .tile b{display:block;font-size:22px;font-variant-numeric:tabular-nums}
            figure{margin:16px 0}figcaption{font-weight:600;margin-bottom:4px}svg{width:100%;height:auto}
            table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
            th,td{padding:5px 8px;border-bottom:1px solid var(--rule);text-align:right}th:first-child,td:first-child{text-align:left}
            th{color:var(--soft);font-weight:600}.scroll{overflow-x:auto}
            .grid{stroke:var(--rule);stroke-width:1}.tick,.label,.legend{fill:var(--soft);font-size:12px}.legend{fill:var(--ink)}
            .line{fill:none;stroke-width:2}
            .c0{fill:var(--c0)}.c1{fill:var(--c1)}.c2{fill:var(--c2)}.c3{fill:var(--c3)}.c4{fill:var(--c4)}.c5{fill:var(--c5)}
            path.c0{fill:none;stroke:var(--c0)}path.c1{fill:none;stroke:var(--c1)}path.c2{fill:none;stroke:var(--c2)}
            path.c3{fill:none;stroke:var(--c3)}path.c4{fill:none;stroke:var(--c4)}path.c5{fill:none;stroke:var(--c5)}
            .band{opacity:.28}.band.admin{fill:var(--c3)}.band.fault{fill:var(--bad)}.band.window{fill:var(--c0);opacity:.06}
            .warn{border-left:4px solid var(--bad);padding:6px 12px;background:var(--card)}
            pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:13px}
            """;

    private HtmlReport() {}

    public static String of(RunReport report) {
        StringBuilder html = new StringBuilder();
        head(html, report.name());
        add(html, "<h1>%s <span class=\"verdict %s\">%s</span></h1>", esc(report.name()), report.ok() ? "ok" : "failed",
                report.ok() ? "OK" : "FAILED");
        add(html, "<p class=\"soft\">%s · loadtest %s</p>", esc(report.startedAt()), esc(report.command()));
        if (!report.note().isEmpty()) {
            add(html, "<p><b>%s</b></p>", esc(report.note()));
        }
        report.problems().forEach(problem -> add(html, "<p class=\"warn\">%s</p>", esc(problem)));
        if (!report.evidence().isEmpty()) {
            add(html, "<h2>Broken promises: %d</h2><pre>%s</pre>", report.breaches(), esc(String.join("\n", report.evidence())));
        }
        if (report.steps().size() > 1) {
            sweep(html, report);
        }
        for (int i = 0; i < report.steps().size(); i++) {
            step(html, report.steps().get(i), i, report.steps().size() > 1);
        }
        settings(html, report);
        return html.append("</main></body></html>\n").toString();
    }

    /** Two runs side by side: their charts in one, their figures with the change. */
    public static String compare(RunReport a, RunReport b) {
        StringBuilder html = new StringBuilder();
        head(html, a.name() + " / " + b.name());
        add(html, "<h1>Two runs compared</h1><p class=\"soft\">A: %s, %s · loadtest %s<br>B: %s, %s · loadtest %s</p>",
                esc(a.name()),
                esc(a.startedAt()), esc(a.command()), esc(b.name()), esc(b.startedAt()), esc(b.command()));
        add(html, "<pre>%s</pre>", esc(Comparison.text(a, b)));
        RunReport.Step first = a.steps().getLast();
        RunReport.Step second = b.steps().getLast();
        Map<String, Function<Figures, Latency>> kinds = new LinkedHashMap<>();
        kinds.put("Time to first token", Figures::ttft);
        kinds.put("Inter-token latency", Figures::itl);
        kinds.put("End to end", Figures::e2e);
        int[] number = {0};
        kinds.forEach((name, of) -> html.append(percentiles("compare" + number[0]++, name)
                .line("A", curve(of.apply(first.figures()))).line("B", curve(of.apply(second.figures()))).svg()));
        html.append(new Chart("compare-tokens", "Tokens per second over time", "seconds", "tokens/s", Chart.Scale.LINEAR)
                .line("A", series(first, Sample::tokens)).line("B", series(second, Sample::tokens)).svg());
        if (a.steps().size() > 1 || b.steps().size() > 1) {
            Chart chart = new Chart("compare-sweep", "Latency and throughput", "output tokens/s", "TTFT p99, ms",
                    Chart.Scale.LINEAR);
            html.append(chart.line("A", knee(a.steps(), Figures::ttft)).line("B", knee(b.steps(), Figures::ttft)).svg());
        }
        return html.append("</main></body></html>\n").toString();
    }

    private static void head(StringBuilder html, String title) {
        html.append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\""
                + " content=\"width=device-width\">")
                .append("<title>").append(esc(title)).append(" – Tidestream loadtest</title><style>").append(STYLE)
                .append("</style></head><body><main>");
    }

    private static void sweep(StringBuilder html, RunReport report) {
        html.append("<h2>Sweep</h2>");
        Map<String, List<RunReport.Step>> byTarget = new LinkedHashMap<>();
        report.steps().forEach(step -> byTarget.computeIfAbsent(step.target(), _ -> new ArrayList<>()).add(step));
        byTarget.values().forEach(steps -> steps.sort(java.util.Comparator.comparingDouble(RunReport.Step::level)));
        Chart ttft = new Chart("sweep-ttft", "Latency and throughput: first token", "output tokens/s", "TTFT, ms",
                Chart.Scale.LINEAR);
        Chart itl = new Chart("sweep-itl", "Latency and throughput: between tokens", "output tokens/s",
                "inter-token latency p50, ms",
                Chart.Scale.LINEAR);
        Chart throughput = new Chart("sweep-load", "Throughput by load", "load (streams, or requests/s)", "output tokens/s",
                Chart.Scale.LINEAR);
        byTarget.forEach((target, steps) -> {
            String name = byTarget.size() > 1 ? target.split(" ", 2)[0] + " " : "";
            ttft.line(name + "p50", points(steps, s -> s.figures().tokensPerS(), s -> s.figures().ttft().p50()));
            ttft.line(name + "p99", knee(steps, Figures::ttft));
            itl.line(name + "p50", points(steps, s -> s.figures().tokensPerS(), s -> s.figures().itl().p50()));
            throughput.line(name + "tokens/s", points(steps, RunReport.Step::level, s -> s.figures().tokensPerS()));
        });
        html.append(ttft.svg()).append(itl.svg()).append(throughput.svg());
        html.append("<div class=\"scroll\"><table><tr><th>load</th><th>tokens/s</th><th>per stream</th><th>req/s</th><th>TTFT"
                + " p50</th>"
                + "<th>TTFT p99</th><th>ITL p50</th><th>ITL p99</th><th>good</th></tr>");
        for (RunReport.Step step : report.steps()) {
            Figures f = step.figures();
            add(html, "<tr><td>%s,"
                    + " %s</td><td>%.1f</td><td>%.1f</td><td>%.2f</td><td>%.1f</td><td>%.1f</td><td>%.2f</td><td>%.2f</td>"
                    + "<td>%.1f %%</td></tr>", esc(step.target().split(" ", 2)[0]), esc(step.load()), f.tokensPerS(),
                    f.tokensPerSPerStream(), f.requestsPerS(), f.ttft().p50(), f.ttft().p99(), f.itl().p50(), f.itl().p99(),
                    f.goodShare() * 100);
        }
        html.append("</table></div><p class=\"soft\">latencies in ms</p>");
    }

    private static List<double[]> knee(List<RunReport.Step> steps, Function<Figures, Latency> of) {
        return points(steps, s -> s.figures().tokensPerS(), s -> of.apply(s.figures()).p99());
    }

    private static List<double[]> points(List<RunReport.Step> steps, Function<RunReport.Step, Double> x,
            Function<RunReport.Step, Double> y) {
        return steps.stream().map(step -> new double[] {x.apply(step), y.apply(step)}).toList();
    }

    private static void step(StringBuilder html, RunReport.Step step, int number, boolean titled) {
        Figures f = step.figures();
        add(html, "<h2>%s</h2><p class=\"soft\">%s</p>", esc(titled ? step.load() : "Result"), esc(step.target() + ", "
                + step.load()));
        html.append("<div class=\"tiles\">");
        tile(html, "output tokens/s", String.format(Locale.ROOT, "%.1f", f.tokensPerS()));
        tile(html, "tokens/s per stream", String.format(Locale.ROOT, "%.1f", f.tokensPerSPerStream()));
        tile(html, "requests/s", String.format(Locale.ROOT, "%.2f", f.requestsPerS()));
        tile(html, "TTFT p50 / p99, ms", String.format(Locale.ROOT, "%.1f / %.1f", f.ttft().p50(), f.ttft().p99()));
        tile(html, "ITL p50 / p99, ms", String.format(Locale.ROOT, "%.2f / %.1f", f.itl().p50(), f.itl().p99()));
        tile(html, "goodput at the SLO", String.format(Locale.ROOT, "%.1f %%", f.goodShare() * 100));
        html.append("</div>");
        if (f.client().bottleneck()) {
            add(html, "<p class=\"warn\">The client itself may be the bottleneck: I/O thread %.0f %% busy, requests late by"
                    + " %.1f ms at"
                    + " p99.</p>", f.client().ioShare() * 100, f.lateness().p99());
        }
        html.append(percentiles("percentiles" + number, "Latency by percentile").line("TTFT", curve(f.ttft()))
                .line("inter-token", curve(f.itl())).line("end to end", curve(f.e2e())).svg());
        timeline(html, step, number);
        table(html, f);
    }

    private static void tile(StringBuilder html, String name, String value) {
        add(html, "<div class=\"tile\"><b>%s</b>%s</div>", esc(value), esc(name));
    }

    private static Chart percentiles(String id, String title) {
        return new Chart(id, title, "percentile", "ms", Chart.Scale.PERCENTILE).xText(p -> "p" + java.math.BigDecimal.valueOf(p)
                .stripTrailingZeros().toPlainString());
    }

    private static List<double[]> curve(Latency latency) {
        List<double[]> points = new ArrayList<>();
        for (int i = 0; i < latency.curve().size(); i++) {
            points.add(new double[] {Latency.CURVE.get(i), latency.curve().get(i)});
        }
        return points;
    }

    private static List<double[]> series(RunReport.Step step, Function<Sample, Double> of) {
        return step.samples().stream().map(s -> new double[] {s.atS(), of.apply(s)}).toList();
    }

    private static void timeline(StringBuilder html, RunReport.Step step, int number) {
        Chart tokens = new Chart("tokens" + number, "Tokens per second over time; admin events violet, faults red", "seconds",
                "tokens/s",
                Chart.Scale.LINEAR).line("tokens/s", series(step, Sample::tokens));
        Chart latency = new Chart("timeline" + number,
                "Slowest first token and longest gap over time; admin events violet, faults red",
                "seconds", "ms", Chart.Scale.LINEAR).line("TTFT max", series(step, Sample::ttftMs)).line("gap max",
                        series(step, Sample::itlMs));
        Chart running = new Chart("running" + number, "Streams over time", "seconds", "streams", Chart.Scale.LINEAR)
                .line("running", series(step, s -> (double) s.running()));
        for (Chart chart : List.of(tokens, latency)) {
            chart.band(step.windowStartS(), step.windowEndS(), "window", "measured");
            for (Mark mark : step.marks()) {
                chart.band(mark.atS(), mark.atS() + mark.forS(), mark.kind(),
                        String.format(Locale.ROOT, "%s, at %.2f s for %.0f ms", mark.what(), mark.atS(), mark.forS() * 1e3));
            }
        }
        html.append(tokens.svg()).append(latency.svg()).append(running.svg());
    }

    private static void table(StringBuilder html, Figures f) {
        html.append("<div class=\"scroll\"><table><tr><th>latency,"
                + " ms</th><th>p50</th><th>p90</th><th>p95</th><th>p99</th><th>p99.9</th>"
                + "<th>max</th><th>mean</th><th>count</th></tr>");
        row(html, "time to first token", f.ttft());
        row(html, "inter-token", f.itl());
        row(html, "time per output token", f.tpot());
        row(html, "end to end", f.e2e());
        row(html, "lateness of the client", f.lateness());
        new TreeMap<>(f.admin()).forEach((kind, latency) -> row(html, "admin: " + kind, latency));
        add(html, "</table></div><p class=\"soft\">%d requests in %.1f s: %d finished, %d failed, %d cancelled, %d vanished."
                + " Errors: %s."
                + " Client: %.2f cores, I/O thread %.0f %% busy.", f.requests(), f.seconds(), f.finished(), f.failed(),
                        f.cancelled(),
                f.vanished(), esc(f.errors().isEmpty() ? "none" : new TreeMap<>(f.errors()).toString()), f.client().cores(),
                f.client().ioShare() * 100);
        Figures.ServerUse server = f.server();
        if (server != null) {
            add(html, " Server: %.2f cores, %.0f MiB resident.", server.cores(), server.rssMb());
        }
        html.append("</p>");
    }

    private static void row(StringBuilder html, String name, Latency l) {
        if (l.count() > 0) {
            add(html, "<tr><td>%s</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%d</td>"
                    + "</tr>", esc(name), l.p50(), l.p90(), l.p95(), l.p99(), l.p999(), l.max(), l.mean(), l.count());
        }
    }

    private static void settings(StringBuilder html, RunReport report) {
        html.append("<h2>Settings</h2><table>");
        report.settings().forEach((name, value) -> add(html, "<tr><td>%s</td><td>%s</td></tr>", esc(name), esc(value)));
        html.append("</table>");
    }

    private static String esc(String text) {
        return Chart.escape(text);
    }

    @SuppressWarnings("AnnotateFormatMethod") // its annotation would be a library of its own
    private static void add(StringBuilder to, String format, Object... values) {
        to.append(String.format(Locale.ROOT, format, values));
    }
}

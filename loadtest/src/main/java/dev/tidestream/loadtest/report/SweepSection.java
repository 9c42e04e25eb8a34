package dev.tidestream.loadtest.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Latency;
import dev.tidestream.loadtest.report.Knee.Point;

import static dev.tidestream.loadtest.report.Page.esc;

/** Levels of load beside each other, of a sweep or of a run that changes its load: curves, the knee, a table. */
final class SweepSection {
    private SweepSection() {}

    /** @param hasSlo whether it was said what a good request is */
    static void add(Page html, String id, String title, List<Point> all, boolean hasSlo) {
        html.add("<h2>%s</h2>", esc(title));
        Map<String, List<Point>> bySeries = new LinkedHashMap<>();
        all.forEach(point -> bySeries.computeIfAbsent(point.series(), _ -> new ArrayList<>()).add(point));
        bySeries.values().forEach(points -> points.sort(Comparator.comparingDouble(Point::level)));
        charts(html, id, bySeries);
        bySeries.forEach((series, points) -> {
            String knee = Knee.text(bySeries.size() > 1 ? series : "", points);
            if (!knee.isEmpty()) {
                html.add("<p><b>%s</b></p>", esc(knee));
            }
        });
        String missing = all.stream().filter(point -> !point.isMeasured()).map(Point::load).collect(Collectors.joining(", "));
        if (!missing.isEmpty()) {
            html.add("<p class=\"warn\">Not in the curves of latency, since no request finished: %s</p>", esc(missing));
        }
        table(html, all, bySeries, hasSlo);
    }

    private static void charts(Page html, String id, Map<String, List<Point>> bySeries) {
        Chart ttft = new Chart(id + "-ttft", "Latency and throughput: first token", "output tokens/s", "TTFT, ms",
                Chart.Scale.LINEAR);
        Chart itl = new Chart(id + "-itl", "Latency and throughput: between tokens", "output tokens/s", "inter-token latency, ms",
                Chart.Scale.LINEAR);
        Chart throughput = new Chart(id + "-load", "Throughput by load", "load (streams, or requests/s)", "output tokens/s",
                Chart.Scale.LINEAR);
        bySeries.forEach((series, points) -> {
            String name = bySeries.size() > 1 ? series + " " : "";
            List<Point> measured = points.stream().filter(Point::isMeasured).toList();
            List<String> levels = measured.stream().map(point -> Chart.number(point.level())).toList();
            ttft.line(name + "p50", curve(measured, Figures::ttft, Latency::p50), levels);
            ttft.line(name + "p99", curve(measured, Figures::ttft, Latency::p99));
            itl.line(name + "p50", curve(measured, Figures::itl, Latency::p50), levels);
            itl.line(name + "p99", curve(measured, Figures::itl, Latency::p99));
            throughput.line(name + "tokens/s", points.stream().map(p -> new double[] {p.level(), p.figures().tokensPerS()})
                    .toList());
            Knee.of(points).ifPresent(knee -> {
                Figures f = knee.figures();
                ttft.highlight(f.tokensPerS(), f.ttft().p50(), name + "knee");
                itl.highlight(f.tokensPerS(), f.itl().p50(), name + "knee");
                throughput.highlight(knee.level(), f.tokensPerS(), name + "knee: " + knee.load());
            });
        });
        html.add(ttft).add(itl).add(throughput);
        html.add("<p class=\"soft\">The numbers at the points are the load.</p>");
    }

    private static void table(Page html, List<Point> all, Map<String, List<Point>> bySeries, boolean hasSlo) {
        html.add("<div class=\"scroll\"><table><tr><th>load</th><th>tokens/s</th><th>per stream</th><th>finished</th>"
                + "<th>req/s</th><th>TTFT p50</th><th>TTFT p99</th><th>ITL p50</th><th>ITL p99</th>%s</tr>",
                hasSlo ? "<th>good</th>" : "");
        for (Point point : all) {
            Figures f = point.figures();
            Optional<Point> knee = Knee.of(bySeries.getOrDefault(point.series(), List.of()));
            boolean isKnee = knee.isPresent() && knee.get() == point;
            html.add("<tr%s><td>%s%s</td><td>%.1f</td><td>%s</td><td%s>%s</td><td>%.2f</td>"
                    + "<td>%s</td><td>%s</td><td>%s</td><td>%s</td>",
                    isKnee ? " class=\"knee\"" : "", esc((bySeries.size() > 1 ? point.series() + ", " : "") + point.load()),
                    isKnee ? " (knee)" : "", f.tokensPerS(), f.tpot().count() > 0 ? format("%.1f", f.streamTokensPerS()) : "–",
                    point.isMeasured() ? "" : " class=\"none\"", point.isMeasured() ? String.valueOf(f.finished()) : "none",
                    f.requestsPerS(), ms(f.ttft(), Latency::p50), ms(f.ttft(), Latency::p99), ms(f.itl(), Latency::p50),
                    ms(f.itl(), Latency::p99));
            html.add("%s</tr>", hasSlo ? format("<td>%.1f %%</td>", f.goodShare() * 100) : "");
        }
        html.add("</table></div><p class=\"soft\">latencies in ms</p>");
    }

    private static String ms(Latency latency, ToDoubleFunction<Latency> of) {
        return latency.count() == 0 ? "–" : format("%.2f", of.applyAsDouble(latency));
    }

    private static String format(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    private static List<double[]> curve(List<Point> points, Function<Figures, Latency> of, ToDoubleFunction<Latency> value) {
        return points.stream()
                .map(p -> new double[] {p.figures().tokensPerS(), value.applyAsDouble(of.apply(p.figures()))})
                .toList();
    }
}

package dev.tidestream.loadtest.report;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

import dev.tidestream.loadtest.figures.Latency;
import dev.tidestream.loadtest.figures.Sample;

/** An HTML page that needs nothing else: style and charts are inside, and there is no script. */
final class Page {
    private static final String STYLE = """
            :root{--ink:#1c2430;--paper:#fbfbfa;--card:#fff;--soft:#5d6878;--rule:#e3e6ea;--good:#14804a;--bad:#c0262d;
            --c0:#2f6fde;--c1:#e0762b;--c2:#2a9d6f;--c3:#9b51c4;--c4:#c8963e;--c5:#5b6b80}
            @media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--paper:#14181e;--card:#1c2129;--soft:#9aa6b7;--rule:#303844;
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
            th,td{padding:5px 8px;border-bottom:1px solid var(--rule);text-align:right}
            th:first-child,td:first-child{text-align:left}
            th{color:var(--soft);font-weight:600}.scroll{overflow-x:auto}
            .grid{stroke:var(--rule);stroke-width:1}.tick,.label,.legend{fill:var(--soft);font-size:12px}.legend{fill:var(--ink)}
            .line{fill:none;stroke-width:2}
            .c0{fill:var(--c0)}.c1{fill:var(--c1)}.c2{fill:var(--c2)}.c3{fill:var(--c3)}.c4{fill:var(--c4)}.c5{fill:var(--c5)}
            path.c0{fill:none;stroke:var(--c0)}path.c1{fill:none;stroke:var(--c1)}path.c2{fill:none;stroke:var(--c2)}
            path.c3{fill:none;stroke:var(--c3)}path.c4{fill:none;stroke:var(--c4)}path.c5{fill:none;stroke:var(--c5)}
            .band{opacity:.28}.band.measured{fill:var(--c0);opacity:.08}.band.warm-up{fill:var(--soft);opacity:.22}
            .event{opacity:.75}.event.admin{fill:var(--c3)}.event.fault{fill:var(--bad)}
            .highlight{fill:none;stroke:var(--ink);stroke-width:2}
            details{border-top:1px solid var(--rule);margin-top:18px;padding-top:2px}summary{cursor:pointer;padding:8px 0}
            summary b{font-size:17px}.knee td{font-weight:700}.none{color:var(--bad)}
            .facts td:first-child{color:var(--soft);white-space:nowrap;vertical-align:top}.facts td{text-align:left}
            td.text,th.text{text-align:left}
            .better{color:var(--good)}.worse{color:var(--bad)}
            .warn{border-left:4px solid var(--bad);padding:6px 12px;background:var(--card)}
            pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:13px}
            """;

    private final StringBuilder html = new StringBuilder();

    Page(String title) {
        html.append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\""
                + " content=\"width=device-width\">")
                .append("<title>").append(esc(title)).append(" – Tidestream loadtest</title><style>").append(STYLE)
                .append("</style></head><body><main>");
    }

    /** Values that come from outside must have been escaped. */
    @SuppressWarnings("AnnotateFormatMethod") // its annotation would be a library of its own
    Page add(String format, Object... values) {
        html.append(String.format(Locale.ROOT, format, values));
        return this;
    }

    Page add(Chart chart) {
        html.append(chart.svg());
        return this;
    }

    String end() {
        return html.append("</main></body></html>\n").toString();
    }

    static String esc(String text) {
        return Chart.escape(text);
    }

    static Chart percentiles(String id, String title) {
        return new Chart(id, title, "percentile", "ms", Chart.Scale.PERCENTILE)
                .xText(p -> "p" + BigDecimal.valueOf(p).stripTrailingZeros().toPlainString());
    }

    /** The points of a percentile chart, as far as there are values enough: the last one is the highest. */
    static List<double[]> curve(Latency latency) {
        List<double[]> points = new ArrayList<>();
        for (int i = 0; i < latency.curve().size(); i++) {
            points.add(new double[] {Latency.CURVE.get(i), latency.curve().get(i)});
            if (latency.count() * (1 - Latency.CURVE.get(i) / 100) < 1) {
                break;
            }
        }
        return points;
    }

    static Chart overTime(String id, String title, String yLabel) {
        return new Chart(id, title, "seconds", yLabel, Chart.Scale.LINEAR);
    }

    /** The points of a chart over time. */
    static List<double[]> series(RunReport.Step step, Function<Sample, Double> of) {
        return step.samples().stream().map(s -> new double[] {s.atS(), of.apply(s)}).toList();
    }
}

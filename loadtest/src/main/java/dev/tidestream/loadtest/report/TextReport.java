package dev.tidestream.loadtest.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Printable;
import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Kills;
import dev.tidestream.loadtest.figures.Latency;
import dev.tidestream.loadtest.figures.PromiseCount;
import dev.tidestream.loadtest.figures.ServerFigures;
import dev.tidestream.loadtest.figures.Stage;
import dev.tidestream.loadtest.report.Knee.Point;

/** A report for a terminal. */
public final class TextReport {
    private TextReport() {}

    public static String of(RunReport report) {
        StringBuilder text = new StringBuilder();
        line(text, "%s: %s%s", report.ok() ? "OK" : "FAILED", report.name(), report.note().isEmpty() ? "" : " ("
                + report.note() + ")");
        if (!report.question().isEmpty()) {
            line(text, "%s", report.question());
        }
        report.environment().forEach((name, value) -> line(text, "%-12s%s", name, value));
        if (report.steps().size() > 1) {
            sweep(text, report);
        } else {
            report.steps().forEach(step -> step(text, step, report.hasSlo()));
        }
        promises(text, report);
        report.problems().forEach(problem -> problem(text, problem));
        report.evidence().forEach(evidence -> line(text, "breach: %s", evidence));
        if (report.breaches() > report.evidence().size()) {
            line(text, "… and %d more breaches", report.breaches() - report.evidence().size());
        }
        return text.toString();
    }

    /** May have what a server said, in lines of its own. */
    private static void problem(StringBuilder text, String problem) {
        List<String> lines = problem.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            line(text, i == 0 ? "problem: %s" : "  %s", lines.get(i));
        }
    }

    /** Two runs beside each other: A, B and the change from A to B. */
    public static String compare(RunReport a, RunReport b) {
        return Comparison.text(a, b);
    }

    private static void sweep(StringBuilder text, RunReport report) {
        heading(text, report.hasSlo());
        Map<String, List<Point>> bySeries = new LinkedHashMap<>();
        for (RunReport.Step step : report.steps()) {
            row(text, step.name(), step.load(), step.figures(), report.hasSlo());
            Remarks.of(step).forEach(remark -> line(text, "WARNING: %s", remark));
            bySeries.computeIfAbsent(step.name(), _ -> new ArrayList<>())
                    .add(new Point(step.name(), step.load(), step.level(), step.figures()));
        }
        line(text, "latencies in ms");
        bySeries.forEach((series, points) -> knee(text, bySeries.size() > 1 ? series : "", points));
    }

    private static void knee(StringBuilder text, String series, List<Point> points) {
        String knee = Knee.text(series, points.stream().sorted(Comparator.comparingDouble(Point::level)).toList());
        if (!knee.isEmpty()) {
            line(text, "%s", knee);
        }
    }

    private static void heading(StringBuilder text, boolean hasSlo) {
        line(text, "%-12s %-16s %10s %8s %10s %10s %10s %10s%s", "target", "load", "tokens/s", "finished", "ttft p50", "ttft p99",
                "itl p50", "itl p99", hasSlo ? String.format(Locale.ROOT, " %10s %8s", "good/s", "good") : "");
    }

    private static void row(StringBuilder text, String name, String load, Figures f, boolean hasSlo) {
        String good = hasSlo ? String.format(Locale.ROOT, " %10.2f %7.1f%%", f.goodPerS(), f.goodShare() * 100) : "";
        line(text, "%-12s %-16s %10.1f %8s %10s %10s %10s %10s%s", name, load, f.tokensPerS(),
                f.finished() == 0 ? "none" : f.finished(),
                ms(f.ttft(), f.ttft().p50()), ms(f.ttft(), f.ttft().p99()), ms(f.itl(), f.itl().p50()),
                ms(f.itl(), f.itl().p99()), good);
    }

    /** A latency of nothing is not 0. */
    private static String ms(Latency latency, double value) {
        return latency.count() == 0 ? "-" : String.format(Locale.ROOT, "%.2f", value);
    }

    private static void promises(StringBuilder text, RunReport report) {
        line(text, "checked     %s", report.checkedText());
        for (PromiseCount count : report.promiseCounts()) {
            if (count.checked() > 0) {
                line(text, "  %,10d %-20s %s%s", count.checked(), count.promise().unit(), count.promise().text(),
                        count.broken() == 0 ? "" : String.format(Locale.ROOT, ": BROKEN %,d times", count.broken()));
            }
        }
    }

    private static void step(StringBuilder text, RunReport.Step step, boolean hasSlo) {
        Figures f = step.figures();
        line(text, "%s, %s, %.1f s measured", step.target(), step.load(), f.seconds());
        line(text, "requests    %d: finished %d, failed %d, cancelled %d, vanished %d; %.2f finished/s", f.requests(),
                f.finished(),
                f.failed(), f.cancelled(), f.vanished(), f.requestsPerS());
        line(text, "tokens      %d; %.1f tokens/s in all, %.1f tokens/s per stream (median)", f.tokens(), f.tokensPerS(),
                f.streamTokensPerS());
        if (f.cachedTokens() > 0) {
            line(text, "prompts     %d tokens, %d of them (%.1f %%) not computed again (cached_tokens)", f.promptTokens(), f.cachedTokens(),
                    100.0 * f.cachedTokens() / Math.max(1, f.promptTokens()));
        }
        Figures.Resumes resumes = f.resumes();
        if (resumes != null) {
            line(text, "resumed     %d of %d dropped; tokens lost %d, repeated %d; refused %s", resumes.resumed(), resumes.dropped(),
                    resumes.lost(), resumes.repeated(), resumes.refused().isEmpty() ? "none" : new TreeMap<>(resumes.refused()));
        }
        kills(text, step.kills());
        if (hasSlo) {
            line(text, "goodput     %d requests met the SLO, %.1f %%; %.2f/s", f.good(), f.goodShare() * 100, f.goodPerS());
        }
        line(text, "%-12s%9s %9s %9s %9s %9s %9s %9s %8s", "latency, ms", "p50", "p90", "p95", "p99", "p99.9", "max", "mean",
                "count");
        latency(text, "ttft", f.ttft());
        latency(text, "  later turn", f.laterTtft());
        latency(text, "inter-token", f.itl());
        latency(text, "tpot", f.tpot());
        latency(text, "end-to-end", f.e2e());
        latency(text, "client late", f.lateness());
        new TreeMap<>(f.admin()).forEach((kind, latency) -> latency(text, kind, latency));
        if (!f.versions().isEmpty()) {
            line(text, "weights     versions %d to %d", f.versions().getFirst(), f.versions().getLast());
        }
        if (!f.errors().isEmpty()) {
            line(text, "errors      %s", new TreeMap<>(f.errors()));
            new TreeMap<>(f.errorExamples()).forEach((code, why) -> line(text, "  %s: %s", code, why));
        }
        line(text, "client      %.2f cores, I/O thread %.0f %% busy", f.client().cores(), f.client().ioShare() * 100);
        Figures.ServerUse server = f.server();
        if (server != null) {
            line(text, "server      %.2f cores, %.0f MiB resident", server.cores(), server.rssMb());
        }
        servers(text, step.servers(), hasSlo);
        Remarks.of(step).forEach(remark -> line(text, "WARNING: %s", remark));
        if (!step.stages().isEmpty()) {
            heading(text, hasSlo);
            for (Stage stage : step.stages()) {
                row(text, String.format(Locale.ROOT, "%.1f-%.1f s", stage.fromS(), stage.toS()), stage.load(), stage.figures(),
                        hasSlo);
                Remarks.of(stage.figures()).forEach(remark -> line(text, "WARNING: %s", remark));
            }
            knee(text, "", step.stages().stream().map(stage -> new Point("", stage.load(), stage.level(), stage.figures()))
                    .toList());
        }
    }

    private static void kills(StringBuilder text, @Nullable Kills kills) {
        if (kills != null) {
            line(text, "killed      %d workers %s; of %d streams that ran, %d came to their end; tokens lost %d, repeated %d",
                    kills.count(), new TreeMap<>(kills.workers()), kills.disturbed(), kills.finished(), kills.lost(), kills.repeated());
            line(text, "  longest gap of each, ms: p50 %s, p99 %s, max %s", ms(kills.pause(), kills.pause().p50()),
                    ms(kills.pause(), kills.pause().p99()), ms(kills.pause(), kills.pause().max()));
        }
    }

    /** A line for each of several. */
    private static void servers(StringBuilder text, List<ServerFigures> servers, boolean hasSlo) {
        if (!servers.isEmpty()) {
            heading(text, hasSlo);
            for (int i = 0; i < servers.size(); i++) {
                row(text, "server " + (i + 1), servers.get(i).figures().requests() + " requests", servers.get(i).figures(), hasSlo);
            }
            for (int i = 0; i < servers.size(); i++) {
                line(text, "server %-5d %s", i + 1, servers.get(i).name());
            }
        }
    }

    private static void latency(StringBuilder text, String name, Latency l) {
        if (l.count() > 0) {
            line(text, "%-12s%9.2f %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f %8d", name, l.p50(), l.p90(), l.p95(), l.p99(),
                    l.p999(), l.max(),
                    l.mean(), l.count());
        }
    }

    @SuppressWarnings("AnnotateFormatMethod") // its annotation would be a library of its own
    private static void line(StringBuilder text, String format, Object... values) {
        text.append(Printable.line(String.format(Locale.ROOT, format, values))).append(System.lineSeparator());
    }
}

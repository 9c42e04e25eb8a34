package dev.tidestream.loadtest.report;

import java.util.List;
import java.util.Locale;
import java.util.TreeMap;

import dev.tidestream.console.Printable;
import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Latency;

/** A report for a terminal. */
public final class TextReport {
    /** Of other processes; more is worth a warning. */
    static final double NOISE_CORES = 0.2;

    private TextReport() {}

    public static String of(RunReport report) {
        StringBuilder text = new StringBuilder();
        line(text, "%s: %s%s", report.ok() ? "OK" : "FAILED", report.name(), report.note().isEmpty() ? "" : " ("
                + report.note() + ")");
        if (report.steps().size() > 1) {
            heading(text);
            report.steps().forEach(step -> row(text, step.target().split(" ", 2)[0], step.load(), step.figures()));
            line(text, "latencies in ms");
        } else {
            report.steps().forEach(step -> step(text, step));
        }
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

    private static void heading(StringBuilder text) {
        line(text, "%-12s %-16s %10s %10s %10s %10s %10s %10s %8s", "target", "load", "tokens/s", "ttft p50", "ttft p99",
                "itl p50", "itl p99", "good/s", "good");
    }

    private static void row(StringBuilder text, String name, String load, Figures f) {
        line(text, "%-12s %-16s %10.1f %10.2f %10.2f %10.2f %10.2f %10.2f %7.1f%%", name, load, f.tokensPerS(), f.ttft().p50(),
                f.ttft().p99(), f.itl().p50(), f.itl().p99(), f.goodPerS(), f.goodShare() * 100);
        warning(text, f);
    }

    private static void step(StringBuilder text, RunReport.Step step) {
        Figures f = step.figures();
        line(text, "%s, %s, %.1f s measured", step.target(), step.load(), f.seconds());
        line(text, "requests    %d: finished %d, failed %d, cancelled %d, vanished %d; %.2f finished/s", f.requests(),
                f.finished(),
                f.failed(), f.cancelled(), f.vanished(), f.requestsPerS());
        line(text, "tokens      %d; %.1f tokens/s in all, %.1f tokens/s per stream (median)", f.tokens(), f.tokensPerS(),
                f.streamTokensPerS());
        line(text, "goodput     %d requests met the SLO, %.1f %%; %.2f/s", f.good(), f.goodShare() * 100, f.goodPerS());
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
        }
        line(text, "client      %.2f cores, I/O thread %.0f %% busy", f.client().cores(), f.client().ioShare() * 100);
        Figures.ServerUse server = f.server();
        if (server != null) {
            line(text, "server      %.2f cores, %.0f MiB resident", server.cores(), server.rssMb());
        }
        warning(text, f);
        if (!step.stages().isEmpty()) {
            heading(text);
            step.stages().forEach(s -> row(text, String.format(Locale.ROOT, "%.1f-%.1f s", s.fromS(), s.toS()), s.load(),
                    s.figures()));
        }
    }

    private static void warning(StringBuilder text, Figures f) {
        if (f.client().bottleneck()) {
            line(text,
                    "WARNING: the client itself may be the bottleneck: I/O thread %.0f %% busy, requests late by %.1f ms at p99",
                    f.client().ioShare() * 100, f.lateness().p99());
        }
        if (f.client().othersCores() > NOISE_CORES) {
            line(text, "WARNING: other processes of this machine used %.2f cores meanwhile", f.client().othersCores());
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

package dev.tidestream.loadtest;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.loadtest.report.HtmlReport;
import dev.tidestream.loadtest.report.JsonReport;
import dev.tidestream.loadtest.report.ReportFiles;
import dev.tidestream.loadtest.report.RunReport;
import dev.tidestream.loadtest.report.TextReport;

/** {@code loadtest report}: reports of runs that were kept. */
@Command(name = "report", description = "Shows a report that --out has written, or compares two.",
        mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpAutoWidth = true,
        footer = {"", "Examples:",
            "  tidestream loadtest report a.json --html a.html",
            "  tidestream loadtest report --compare a.json b.json --html both.html"})
final class ReportCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", arity = "1..2", description = "Reports as JSON.")
    private List<Path> files = List.of();

    @Option(names = "--compare", fallbackValue = "true", description = "Of two files: B against A.")
    private boolean compare;

    @Option(names = "--html", paramLabel = "FILE", description = "Writes one self-contained HTML file as well.")
    private @Nullable Path html;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (compare != (files.size() == 2)) {
            throw new ParameterException(spec.commandLine(), "--compare needs two files, and without it there is one: files="
                    + files.size());
        }
        PrintWriter out = spec.commandLine().getOut();
        RunReport first = JsonReport.read(files.getFirst());
        RunReport second = JsonReport.read(files.getLast());
        out.print(compare ? TextReport.compare(first, second) : TextReport.of(first));
        Path file = html;
        if (file != null) {
            ReportFiles.write(file, compare ? HtmlReport.compare(first, second) : HtmlReport.of(first));
            out.println("report: " + Printable.line(file.toString()));
        }
        out.flush();
        return 0;
    }
}

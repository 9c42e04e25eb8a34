package dev.tidestream.loadtest;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import reactor.util.Loggers;

import dev.tidestream.console.Commands;
import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.loadtest.plan.CreditPolicy;
import dev.tidestream.loadtest.plan.Faults;
import dev.tidestream.loadtest.plan.Lengths;
import dev.tidestream.loadtest.plan.LoadPlan;
import dev.tidestream.loadtest.plan.Profile;
import dev.tidestream.loadtest.plan.Slo;
import dev.tidestream.loadtest.plan.Times;
import dev.tidestream.loadtest.report.HtmlReport;
import dev.tidestream.loadtest.report.JsonReport;
import dev.tidestream.loadtest.report.ReportFiles;
import dev.tidestream.loadtest.report.RunReport;
import dev.tidestream.loadtest.report.TextReport;
import dev.tidestream.loadtest.run.Live;
import dev.tidestream.loadtest.wire.openai.Api;

/** {@code tidestream loadtest …}. */
@Command(
        name = "loadtest",
        description = "Loads a server from outside, checks every frame, measures, reports.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        usageHelpAutoWidth = true,
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {"0:measured, and every promise was kept",
                "1:a promise was broken, or nothing could be measured; the evidence is"
                + " printed", "2:wrong usage"},
        footer = {"", "Examples:",
            "  tidestream loadtest --spawn --scenario smoke                   starts a server, checks and measures it",
            "  tidestream loadtest --rate 5 --slo ttft=500ms,itl=50ms         open loop on a running server",
            "  tidestream loadtest --spawn --sweep 1,2,4,8,16 --report r.html a curve of latency and throughput",
            "  tidestream loadtest --spawn --rate ramp:1-20 --duration 60s    the same within one run",
            "  tidestream loadtest --target openai --api chat --url http://127.0.0.1:8080   any server's chat completions",
            "  tidestream loadtest report --compare a.json b.json --html c.html two runs that were kept",
            "", "All of it: docs/loadtest.md"})
public final class Main implements Callable<Integer> {
    private static final Commands COMMANDS = new Commands("loadtest", "tidestream ", Set.of(LoadFailedException.class));
    private static final Logger REACTOR = Logger.getLogger("reactor"); // held, lest the level be forgotten

    @Mixin
    private final LoadOptions options = new LoadOptions();

    private final Scenario.Expanded all;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    private Main(Scenario.Expanded all) {
        this.all = all;
    }

    public static void main(String[] args) {
        COMMANDS.main(args, Main::run, System::exit);
    }

    /** 0: all is well; 1: a promise was broken or nothing could be measured; 2: wrong usage. */
    static int run(PrintWriter out, PrintWriter err, String... args) {
        Loggers.useJdkLoggers(); // Reactor's own write stack traces beside a report that counts the same errors
        REACTOR.setLevel(Level.OFF);
        Path home = Path.of(System.getProperty("tidestream.home", "."));
        try {
            Scenario.Expanded all = Scenario.expand(home, List.of(args));
            return COMMANDS.run(commandLine(all).setOut(out).setErr(err), all.arguments().toArray(String[]::new));
        } catch (LoadFailedException e) {
            COMMANDS.say(err, Reasons.message(e));
            return Commands.USAGE;
        }
    }

    static CommandLine commandLine(Scenario.Expanded all) {
        return COMMANDS.apply(new CommandLine(new Main(all)).addSubcommand(new ReportCommand()))
                .setOverwrittenOptionsAllowed(true)
                .registerConverter(Duration.class, converter(Times::parse))
                .registerConverter(Lengths.class, converter(Lengths::parse))
                .registerConverter(Profile.class, converter(Profile::parse))
                .registerConverter(CreditPolicy.class, converter(CreditPolicy::parse))
                .registerConverter(Slo.class, converter(Slo::parse))
                .registerConverter(Faults.class, converter(Faults::parse))
                .registerConverter(Api.class, converter(Api::parse));
    }

    private static <T> ITypeConverter<T> converter(Function<String, T> parse) {
        return text -> {
            try {
                return parse.apply(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        };
    }

    @Override
    public Integer call() throws InterruptedException {
        LoadPlan plan;
        try {
            plan = options.plan();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        PrintWriter out = spec.commandLine().getOut();
        try {
            RunReport report = measured(plan);
            out.print(options.json ? JsonReport.write(report) : TextReport.of(report));
            write(out, report);
            out.flush();
            return report.ok() ? 0 : 1;
        } catch (LoadFailedException | IOException | IllegalArgumentException e) {
            PrintWriter err = spec.commandLine().getErr();
            err.println("loadtest: " + Printable.text(Reasons.message(e))); // a server's last lines stay lines
            err.flush();
            return Commands.FAILURE;
        }
    }

    private RunReport measured(LoadPlan plan) throws LoadFailedException, InterruptedException {
        String command = String.join(" ", all.arguments());
        if (!Boolean.getBoolean("tidestream.terminal")) {
            return new Session(options, plan, command, all.question(), _ -> { }).run();
        }
        Terminal terminal = new Terminal(System.err);
        try {
            Live.Listener live = terminal;
            return new Session(options, plan, command, all.question(), live).run();
        } finally {
            terminal.clear();
        }
    }

    private void write(PrintWriter out, RunReport report) throws IOException {
        Path json = options.out;
        if (json != null) {
            ReportFiles.write(json, JsonReport.write(report));
        }
        Path html = options.report;
        if (html != null) {
            ReportFiles.write(html, HtmlReport.of(report));
            if (!options.json) {
                out.println("report: " + Printable.line(html.toAbsolutePath().toString()));
            }
        }
    }
}

package dev.tidestream.server.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.tokenizer.TokenizerException;

/**
 * The entry point. Conventions of all commands: results go to stdout, everything else to stderr, both in UTF-8; an error is one
 * line {@code tidestream: …}; the exit code is 0 if all went well, 1 if the command failed, 2 if it was called wrongly.
 */
@Command(
        name = "tidestream",
        description = "A reactive streaming token-generation server on the JVM.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            ServeCommand.class,
            GenerateCommand.class,
            TokenizeCommand.class,
            InspectCommand.class,
            BenchCommand.class,
            LogitsCommand.class,
            AdminCommand.class,
        },
        footer = {
            "",
            "Help on a command: tidestream COMMAND --help",
            "Test a running server from outside: tidestream loadtest --help",
            "JVM options: in the environment variable TIDESTREAM_JAVA_OPTS",
            "Exit codes: 0 success, 1 failure, 2 wrong usage"
        })
public final class Main {
    private static final int FAILURE = 1;
    private static final int USAGE = 2;
    private static final int FILTER_PATIENCE_S = 2;

    /** Runs a command and exits with its code. */
    public static void main(String[] args) {
        PrintWriter out = utf8(FileDescriptor.out);
        PrintWriter err = utf8(FileDescriptor.err);
        int code = run(out, err, args);
        out.flush();
        err.flush();
        awaitFilter();
        System.exit(code);
    }

    /** The launcher filters stderr through a process: when we end, it shall have passed everything on. */
    private static void awaitFilter() {
        String pid = System.getProperty("tidestream.stderr.filter", "");
        if (pid.isEmpty()) {
            return;
        }
        try {
            new FileOutputStream(FileDescriptor.err).close(); // the end of its input
            ProcessHandle.of(Long.parseLong(pid)).ifPresent(
                    filter -> filter.onExit().completeOnTimeout(filter, FILTER_PATIENCE_S, TimeUnit.SECONDS).join());
        } catch (IOException e) {
            throw new UncheckedIOException("stderr cannot be closed", e);
        }
    }

    private static PrintWriter utf8(FileDescriptor descriptor) {
        return new PrintWriter(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
    }

    /** Runs a command. Returns its exit code. */
    static int run(PrintWriter out, PrintWriter err, String... args) {
        CommandLine commandLine = commandLine(new Main()).setOut(out).setErr(err);
        return args.length == 0 ? commandLine.execute("--help") : commandLine.execute(args);
    }

    /** Any command, with our conventions. */
    static CommandLine commandLine(Object command) {
        CommandLine commandLine = new CommandLine(command);
        standardOptions(commandLine);
        return commandLine
                .setUsageHelpWidth(110)
                .setUsageHelpLongOptionsMaxWidth(30)
                .setAbbreviatedSubcommandsAllowed(false)
                .setExpandAtFiles(false)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler((exception, args) -> usage(exception))
                .setExecutionExceptionHandler((exception, failed, result) -> failure(exception, failed));
    }

    private static void standardOptions(CommandLine commandLine) {
        commandLine.getCommandSpec().mixinStandardHelpOptions(true).versionProvider(new Version());
        commandLine.getSubcommands().values().forEach(Main::standardOptions);
    }

    private static int usage(ParameterException exception) {
        CommandLine command = exception.getCommandLine();
        command.getErr().println("tidestream: %s (see %s --help)".formatted(
                oneLine(exception), command.getCommandSpec().qualifiedName()));
        return USAGE;
    }

    private static int failure(Exception exception, CommandLine command) {
        PrintWriter err = command.getErr();
        switch (exception) {
            case CliException _, GgufException _, ModelException _, TokenizerException _, UncheckedIOException _ ->
                err.println("tidestream: " + oneLine(exception));
            default -> { // a fault of ours: show where
                err.println("tidestream: internal error: " + exception.getClass().getSimpleName() + ": " + oneLine(exception));
                exception.printStackTrace(err);
            }
        }
        return FAILURE;
    }

    private static String oneLine(Exception exception) {
        return String.valueOf(exception.getMessage()).lines().map(String::strip).reduce((a, b) -> a + " " + b).orElse("");
    }
}

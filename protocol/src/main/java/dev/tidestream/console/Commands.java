package dev.tidestream.console;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;

import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.TypeConversionException;

/**
 * The conventions of all commands. Results go to stdout, everything else to stderr, both in UTF-8 with the digits 0 to 9, whatever
 * the locale; an error is one line {@code tidestream: …}; the exit code is 0 if all went well, 1 if the command failed, its output
 * could not be written or nobody read it, 2 if it was called wrongly.
 *
 * @param program how lines on stderr begin
 * @param caller what stands before the command's name where it is called, such as {@code "tidestream "}; may be empty
 * @param failures exceptions whose message is for people; any other is a fault of ours, and shown with where it was thrown
 */
public record Commands(String program, String caller, Set<Class<? extends Throwable>> failures) {
    /** A command failed. */
    public static final int FAILURE = 1;
    /** A command was called wrongly. */
    public static final int USAGE = 2;

    private static final int FILTER_PATIENCE_S = 2;
    private static final int MAX_CAUSES = 10;

    /** A command line of ours. */
    public interface Program {
        /** Returns an exit code. */
        int run(PrintWriter out, PrintWriter err, String... args);
    }

    /**
     * Runs as the process's own program. To be called before anything is formatted or printed.
     *
     * @param exit is given the exit code once everything is written; ends the process
     */
    public void main(String[] args, Program body, IntConsumer exit) {
        Locale.setDefault(Locale.ROOT);
        System.setOut(utf8(FileDescriptor.out));
        System.setErr(utf8(FileDescriptor.err));
        CommandOutput out = CommandOutput.stdout();
        CommandOutput err = CommandOutput.stderr();
        Thread.setDefaultUncaughtExceptionHandler((thread, error) -> failure(
                error, memoryOr(error) instanceof OutOfMemoryError ? "" : "in thread " + thread.getName() + ": ", err));
        int code = decoded(args, err).map(decoded -> body.run(out, err, decoded)).orElse(USAGE);
        err.flush();
        awaitFilter();
        exit.accept(code);
    }

    private Optional<String[]> decoded(String[] args, PrintWriter err) {
        try {
            return Optional.of(Arguments.decoded(args));
        } catch (IllegalArgumentException e) {
            say(err, Reasons.message(e));
            return Optional.empty();
        }
    }

    private static PrintStream utf8(FileDescriptor descriptor) {
        return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
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

    /** Gives a command, and all below it, these conventions. */
    public CommandLine apply(CommandLine commandLine) {
        OptionValues.configure(commandLine);
        return commandLine
                .setUsageHelpWidth(110)
                .setUsageHelpLongOptionsMaxWidth(30)
                .setAbbreviatedSubcommandsAllowed(false)
                .setExpandAtFiles(false)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .registerConverter(Path.class, Commands::path)
                .setExecutionStrategy(this::execute)
                .setParameterExceptionHandler((exception, args) -> usage(exception, List.of(args)))
                .setExecutionExceptionHandler((exception, command, result) -> failure(exception, "", command.getErr()));
    }

    /** A blank path would be the working directory, which nobody has named: {@code --data-dir "$DIR"} with {@code DIR} unset. */
    private static Path path(String text) {
        if (text.isBlank()) {
            throw new TypeConversionException("must not be blank");
        }
        return Path.of(text);
    }

    /** Help may have bold type on a terminal: it is our own text. */
    private int execute(ParseResult parsed) {
        for (CommandLine command : parsed.asCommandLineList()) {
            if (command.isUsageHelpRequested()) {
                command.setOut(CommandOutput.exact(command.getOut()));
            }
        }
        try {
            return new RunLast().execute(parsed);
        } catch (OutputFailedException e) { // while help was printed
            return failure(e, "", parsed.commandSpec().commandLine().getErr());
        }
    }

    /** Runs a command that has these conventions. Returns its exit code. */
    public int run(CommandLine commandLine, String... args) {
        PrintWriter err = commandLine.getErr();
        try {
            return flushed(commandLine, commandLine.execute(OptionValues.marked(commandLine, args)));
        } catch (ParameterException e) {
            return usage(e, List.of(args));
        } catch (Error e) { // passed on by picocli
            return failure(e, "", err);
        }
    }

    /** What a command has printed and not flushed must arrive, too. */
    private int flushed(CommandLine commandLine, int code) {
        try {
            commandLine.getOut().flush();
            return code;
        } catch (OutputFailedException e) {
            return code == 0 ? failure(e, "", commandLine.getErr()) : code; // else it has been said what went wrong
        }
    }

    private int usage(ParameterException exception, List<String> args) {
        CommandLine command = exception.getCommandLine();
        say(command.getErr(), "%s (see %s --help)".formatted(
                message(exception, args), caller + command.getCommandSpec().qualifiedName()));
        return USAGE;
    }

    /**
     * What is wrong with a command line, and where the value came from if it was not there.
     *
     * @param args the command line
     */
    public static String message(ParameterException exception, List<String> args) {
        String message = UsageErrors.message(exception, args);
        return exception.getCommandLine().getCommandSpec().defaultValueProvider() instanceof ValueOrigins origins
                ? message + origins.originOf(exception, message, args).map(" (from %s)"::formatted).orElse("") : message;
    }

    private int failure(Throwable thrown, String where, PrintWriter err) {
        Throwable failure = memoryOr(thrown);
        if (failure instanceof OutputFailedException output) {
            if (!output.readerHasGone()) {
                say(err, where + Reasons.message(output));
            }
        } else if (isForPeople(failure)) {
            say(err, where + Reasons.message(failure));
        } else { // a fault of ours: show where
            say(err, where + "internal error: " + failure.getClass().getSimpleName() + ": " + Reasons.message(failure));
            Traces.print(failure, err);
        }
        err.flush();
        return FAILURE;
    }

    /** What is behind a failure, if that is a want of memory: a library may have wrapped it in a failure of its own. */
    private static Throwable memoryOr(Throwable failure) {
        Throwable cause = failure;
        for (int i = 0; i < MAX_CAUSES && cause != null; i++, cause = cause.getCause()) {
            if (cause instanceof OutOfMemoryError) {
                return cause;
            }
        }
        return failure;
    }

    private boolean isForPeople(Throwable failure) {
        return switch (failure) {
            case IOException _, UncheckedIOException _, InvalidPathException _, OutOfMemoryError _ -> true;
            default -> failures.stream().anyMatch(type -> type.isInstance(failure));
        };
    }

    /** One line on stderr, whatever is in the message. */
    public void say(PrintWriter err, String message) {
        String line = message.lines().map(String::strip).collect(Collectors.joining(" "));
        err.println(program + ": " + Printable.line(line));
        err.flush();
    }
}

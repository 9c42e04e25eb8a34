package dev.tidestream.server.cli.options;

import java.io.IOException;
import java.io.UncheckedIOException;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import dev.tidestream.console.StandardInput;
import dev.tidestream.console.Terminals;

/** The text that a command works on: an argument, the value of an option, or standard input. */
public final class PromptOption {
    private static final String STANDARD_INPUT = "-";

    @Parameters(index = "0", arity = "0..1", paramLabel = "PROMPT",
            description = "The text to continue (default: standard input, without its last line end).")
    private @Nullable String argument;

    @Option(names = "--prompt", paramLabel = "TEXT",
            description = "The same as an option, for a text that is empty; - stands for standard input.")
    private @Nullable String option;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    private @Nullable String text;

    /** The text; standard input is read the first time. */
    public String text() {
        if (argument != null && option != null) {
            throw new ParameterException(spec.commandLine(), "give the prompt once: as an argument or with --prompt");
        }
        if (text == null) {
            String given = option == null ? argument : option;
            text = given == null || given.equals(STANDARD_INPUT) ? standardInput(given == null) : given;
        }
        return text;
    }

    /** @param byDefault whether nobody asked for it */
    private String standardInput(boolean byDefault) {
        if (byDefault && Terminals.stdin()) {
            throw missing();
        }
        String input = read();
        if (byDefault && input.isEmpty()) {
            throw missing();
        }
        return input.endsWith("\n") ? input.substring(0, input.length() - (input.endsWith("\r\n") ? 2 : 1)) : input;
    }

    private static String read() {
        try {
            return StandardInput.text();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ParameterException missing() {
        return new ParameterException(spec.commandLine(), "a prompt is missing: give it as an argument, with --prompt TEXT or on"
                + " standard input, for example generate \"Once upon a time\"");
    }
}

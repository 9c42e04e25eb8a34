package dev.tidestream.console;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.Callable;

import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class CommandOutputTest {
    private static final Commands COMMANDS = new Commands("test", "", Set.of());

    /** A stream that takes so many bytes, and then fails as the system says. */
    private static final class Failing extends OutputStream {
        private final String reason;
        private int left;

        Failing(String reason, int left) {
            this.reason = reason;
            this.left = left;
        }

        @Override
        public void write(int b) throws IOException {
            if (--left < 0) {
                throw new IOException(reason);
            }
        }
    }

    @Test
    void shouldPrintWhatCanBeSeenAsUtf8() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CommandOutput out = CommandOutput.required(bytes);
        out.println("é👍\u001b[2J");
        out.print('\uD83D'); // in two pieces
        out.print('\uDC4D');
        out.printf("%s%n", "\u202e");
        PrintWriter exact = CommandOutput.exact(out);
        exact.print("\u001b[0m");
        exact.flush();
        assertEquals("é👍\\u001b[2J\n👍\\u202e\n\u001b[0m", bytes.toString(StandardCharsets.UTF_8));
        PrintWriter other = new PrintWriter(new StringWriter());
        assertSame(other, CommandOutput.exact(other));
    }

    @Test
    void shouldFailAtOnceWhenNothingIsTaken() {
        CommandOutput out = CommandOutput.required(new Failing("No space left on device", 3));
        out.println("ab");
        OutputFailedException failure = assertThrows(OutputFailedException.class, () -> out.println("c"));
        assertEquals("cannot write to standard output: no space left on device", failure.getMessage());
        assertFalse(failure.readerHasGone());
        assertThrows(OutputFailedException.class, out::flush);
        assertTrue(assertThrows(OutputFailedException.class,
                () -> CommandOutput.required(new Failing("Broken pipe", 0)).println("x")).readerHasGone());
    }

    /** Prints for ever. */
    @Command(name = "endless", mixinStandardHelpOptions = true, version = "1")
    private static final class Endless implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec spec;

        @Override
        public Integer call() {
            while (true) {
                spec.commandLine().getOut().println("y");
            }
        }
    }

    private static String run(String reason, int bytes, int expectedCode, String... args) {
        StringWriter err = new StringWriter();
        CommandLine command = COMMANDS.apply(new CommandLine(new Endless()))
                .setOut(CommandOutput.required(new Failing(reason, bytes))).setErr(new PrintWriter(err));
        assertEquals(expectedCode, COMMANDS.run(command, args));
        return err.toString();
    }

    @Test
    void shouldEndTheCommandWithOne() {
        assertEquals("test: cannot write to standard output: no space left on device\n", run("No space left on device", 100, 1));
        assertEquals("", run("Broken pipe", 100, 1));
        assertEquals("test: cannot write to standard output: no space left on device\n",
                run("No space left on device", 0, 1, "--help"));
        assertEquals("test: cannot write to standard output: no space left on device\n",
                run("No space left on device", 0, 1, "--version"));
    }

    /** Prints, does not flush, and has nothing else to complain about than what its code says. */
    @Command(name = "buffered")
    private record Buffered(int code) implements Callable<Integer> {
        @Override
        public Integer call() {
            return code;
        }
    }

    @Test
    void shouldFlushWhateverTheExitCode() {
        for (int code : new int[] {0, 1}) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            CommandOutput out = CommandOutput.required(bytes);
            out.print("result");
            CommandLine command = COMMANDS.apply(new CommandLine(new Buffered(code))).setOut(out);
            assertEquals(code, COMMANDS.run(command));
            assertEquals("result", bytes.toString(StandardCharsets.UTF_8));
        }
    }
}

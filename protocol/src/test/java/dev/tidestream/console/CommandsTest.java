package dev.tidestream.console;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class CommandsTest {
    private static final Commands COMMANDS = new Commands("test", "run ", Set.of(SecurityException.class));

    enum Colour {
        RED,
        DARK_BLUE,
        GREEN
    }

    @Command(name = "root", subcommands = {Text.class, Numbers.class})
    static final class Root {}

    @SuppressWarnings("UnusedVariable") // picocli sets them
    @Command(name = "text", footer = {"Examples:", "  tidestream text \"Once upon\"     one text"})
    static final class Text implements Callable<Integer> {
        @Option(names = "--prompt", paramLabel = "TEXT") @Nullable String prompt;
        @Option(names = "--stop") List<String> stop = List.of();
        @Option(names = "--json") boolean json;
        @Option(names = {"-f", "--file"}, paramLabel = "FILE") @Nullable Path file;
        @Parameters(paramLabel = "TEXT", arity = "0..1") @Nullable String text;

        @Override
        public Integer call() {
            return 0;
        }
    }

    @SuppressWarnings("UnusedVariable") // picocli sets them
    @Command(name = "numbers", footer = {"--port IS_NO_EXAMPLE", "Examples:", "  tidestream numbers --port 9000        a port",
            "  and --size=4GiB"})
    static final class Numbers implements Callable<Integer> {
        @Option(names = {"-p", "--port"}) int port;
        @Option(names = "--seed") long seed;
        @Option(names = "--share", defaultValue = "0.25") double share;
        @Option(names = "--batch", split = ",") List<Integer> batch = List.of();
        @Option(names = "--colour") @Nullable Colour colour;
        @Option(names = "--url") @Nullable URI url;
        @Option(names = "--out", paramLabel = "FILE", required = true) @Nullable Path out;
        @Option(names = "--size", converter = Sizes.class) @Nullable StringBuilder size;
        @Parameters(paramLabel = "VERSION") int version;

        @Override
        public Integer call() {
            return 0;
        }
    }

    static final class Sizes implements CommandLine.ITypeConverter<StringBuilder> {
        @Override
        public StringBuilder convert(String text) {
            throw new CommandLine.TypeConversionException("'%s' is no size: write 2GiB".formatted(text));
        }
    }

    private static String run(Object command, int code, String... args) {
        StringWriter err = new StringWriter();
        CommandLine line = COMMANDS.apply(new CommandLine(command)).setErr(new PrintWriter(err));
        assertEquals(code, COMMANDS.run(line, args), err.toString());
        return err.toString();
    }

    private static Text text(String... args) {
        Text command = new Text();
        assertEquals("", run(command, 0, args));
        return command;
    }

    @Test
    void shouldTakeValuesThatBeginWithADash() {
        for (String value : List.of("-nice day", "--", "-", "-f", "--json", "--nope", "--file=x", "-5", "")) {
            assertEquals(value, text("--prompt", value).prompt);
            assertEquals(value, text("--prompt=" + value).prompt);
            assertEquals(List.of(value, "x"), text("--stop", value, "--stop", "x").stop);
            assertEquals(value, text("--json", "--", value).text);
        }
        Text both = text("--prompt", "--", "--stop=--", "--", "--");
        assertEquals(List.of("--", List.of("--"), "--"), List.of(String.valueOf(both.prompt), both.stop, String.valueOf(both.text)));
        assertEquals(Path.of("-x"), text("--file", "-x").file);
        assertEquals(Path.of("--json"), text("--file=--json").file);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "text --nope                     | unknown option '--nope' (see run root text --help)",
        "text --jsn                      | unknown option '--jsn'; did you mean --json? (see run root text --help)",
        "text --js=1                     | unknown option '--js=1'; did you mean --json? (see run root text --help)",
        "numbers --size x --colr         | --size: 'x' is no size: write 2GiB, for example --size=4GiB (see run root numbers --help)",
        "numbers --colr                  | unknown option '--colr'; did you mean --colour? (see run root numbers --help)",
        "text --file=                    | --file must not be blank (see run root text --help)",
        "numbers --out= 1                | --out must not be blank (see run root numbers --help)",
        "text a b                        | unexpected argument 'b'; a text with spaces needs quotation marks (see run root text --help)",
        "text --json=maybe               | --json takes no value: 'maybe' (see run root text --help)",
        "text --prompt                   | --prompt needs a value (see run root text --help)",
        "text --file --json              | --file needs a value, and --json is another option (see run root text --help)",
        "text --prompt a --prompt b      | --prompt is given twice (see run root text --help)",
        "nope                            | unknown command 'nope'; there are numbers, text (see run root --help)",
        "txt                             | unknown command 'txt'; did you mean text? (see run root --help)",
        "numbers --out x 1 2             | unexpected argument '2'; a text with spaces needs quotation marks (see run root numbers --help)",
        "numbers --out x                 | VERSION is missing, for example tidestream numbers --port 9000 (see run root numbers --help)",
        "numbers 1                       | --out FILE is missing (see run root numbers --help)",
        "numbers --out x one             | VERSION must be a whole number: 'one', for example tidestream numbers --port 9000 "
                + "(see run root numbers --help)",
        "numbers --port http             | --port must be a whole number: 'http', for example --port 9000 (see run root numbers --help)",
        "numbers -p 99999999999          | --port must be nearer to 0 than 2147483647: '99999999999', for example --port 9000 "
                + "(see run root numbers --help)",
        "numbers --seed 1.5              | --seed must be a whole number: '1.5', for example --seed 4 (see run root numbers --help)",
        "numbers --share half            | --share must be a number: 'half', for example --share 0.25 (see run root numbers --help)",
        "numbers --batch 1,x             | --batch must be a whole number: 'x', for example --batch 4 (see run root numbers --help)",
        "numbers --colour grue           | --colour must be red, dark_blue or green: 'grue', for example --colour red (see run "
                + "root numbers --help)",
        "numbers --url a%                | --url must be a URL: 'a%' (see run root numbers --help)",
        "numbers --size lots             | --size: 'lots' is no size: write 2GiB, for example --size=4GiB (see run root numbers --help)"})
    void shouldSayWhatIsWrongInItsOwnWords(String args, String message) {
        assertEquals("test: " + message + "\n", run(new Root(), 2, args.split(" ")));
    }

    @Test
    void shouldSayThatACommandIsMissing() {
        assertEquals("test: a command is missing; there are numbers, text (see run root --help)\n", run(new Root(), 2));
    }

    @Test
    void shouldRepeatArgumentsVisibly() {
        assertEquals("test: unexpected argument '\\u001b[2J\\ntest: ok'; a text with spaces needs quotation marks"
                + " (see run root text --help)\n", run(new Root(), 2, "text", "a", "\u001b[2J\ntest: ok"));
        assertEquals("test: --url must be a URL: '%\\u202e' (see run root numbers --help)\n",
                run(new Root(), 2, "numbers", "--url", "%\u202e"));
        assertEquals("test: --file: nul character not allowed: 'a\\u0000b\\u001b' (see run root text --help)\n",
                run(new Root(), 2, "text", "--file", "a\0b\u001b"));
    }

    /** Throws what it is given. */
    @Command(name = "failing")
    private record Failing(Throwable failure) implements Callable<Integer> {
        @Override
        public Integer call() throws Exception {
            if (failure instanceof Error error) {
                throw error;
            }
            throw (Exception) failure;
        }
    }

    @Test
    void shouldMakeOneLineOfAFailure() {
        assertEquals("test: /m.gguf: permission denied\n", run(new Failing(new AccessDeniedException("/m.gguf")), 1));
        assertEquals("test: two lines\n", run(new Failing(new IOException("two\n  lines")), 1));
        assertEquals("test: not you\n", run(new Failing(new SecurityException("not you")), 1));
        assertEquals("test: tensor '\\u001b[31m' is missing\n", run(new Failing(new IOException("tensor '\u001b[31m' is missing")), 1));
        String memory = run(new Failing(new OutOfMemoryError("Java heap space")), 1);
        assertTrue(memory.startsWith("test: out of memory: Java heap space; ") && memory.lines().count() == 1, memory);
    }

    @Test
    void shouldShowWhereItIsAtFaultItself() {
        String said = run(new Failing(new IllegalStateException("a\ntest: forged", new IOException("\u001b[2J"))), 1);
        assertTrue(said.startsWith("test: internal error: IllegalStateException: a test: forged\n"
                + "java.lang.IllegalStateException: a\\ntest: forged\n\tat dev.tidestream.console.CommandsTest"), said);
        assertTrue(said.contains("\nCaused by: java.io.IOException: \\u001b[2J\n\tat "), said);
        assertTrue(run(new Failing(new AssertionError("no")), 1).startsWith("test: internal error: AssertionError: no\n"));
    }
}

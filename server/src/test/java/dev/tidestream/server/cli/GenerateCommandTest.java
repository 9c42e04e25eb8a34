package dev.tidestream.server.cli;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Where the prompt comes from, and what is said of limits; on the embedded model. */
class GenerateCommandTest {
    private static final String GREEDY = "--temperature=0";
    private static final String USAGE = " (see tidestream generate --help)\n";

    private static Run withInput(String input, String... args) {
        return withInput(input.getBytes(StandardCharsets.UTF_8), args);
    }

    private static Run withInput(byte[] input, String... args) {
        InputStream before = System.in;
        try {
            System.setIn(new ByteArrayInputStream(input));
            return Run.of(args);
        } finally {
            System.setIn(before);
        }
    }

    @Test
    void shouldTakeThePromptFromWhereItIs() {
        Run option = Run.of("generate", "--prompt", "Once upon", "-n", "4", GREEDY);
        assertEquals(new Run(0, " a time there was\n", ""), option);
        assertEquals(option, Run.of("generate", "-n", "4", GREEDY, "Once upon"));
        assertEquals(option, withInput("Once upon\n", "generate", "-n", "4", GREEDY)); // as echo and editors end it
        assertEquals(option, withInput("Once upon\r\n", "generate", "-n", "4", GREEDY, "--prompt", "-"));
        assertEquals(option, withInput("Once upon", "generate", "-n", "4", GREEDY, "-"));
    }

    @Test
    void shouldTakeAPromptThatBeginsWithADash() {
        Run attached = Run.of("generate", "--prompt=-nice day", "-n", "2", GREEDY, "--json");
        assertEquals(0, attached.code(), attached.err());
        String tokens = attached.out().replaceAll("(?s).*(\"prompt_tokens\":\\[[^]]+]).*", "$1");
        assertTrue(Run.of("generate", "-n", "2", GREEDY, "--json", "--", "-nice day").out().contains(tokens), tokens);
        assertTrue(withInput("-nice day", "generate", "-n", "2", GREEDY, "--json").out().contains(tokens), tokens);
        assertEquals(0, Run.of("generate", "--stop", "--", "--stop=-n", "-n", "2", "Once").code());
    }

    @Test
    void shouldRefuseTwoPromptsAndNone() {
        assertEquals(new Run(2, "", "tidestream: give the prompt once: as an argument or with --prompt" + USAGE),
                Run.of("generate", "a", "--prompt", "b"));
        assertEquals(new Run(2, "", "tidestream: unexpected argument 'upon'; a text with spaces needs quotation marks" + USAGE),
                Run.of("generate", "Once", "upon"));
        assertEquals(new Run(2, "", "tidestream: a prompt is missing: give it as an argument, with --prompt TEXT or on standard"
                + " input, for example generate \"Once upon a time\"" + USAGE), withInput("", "generate"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"generate", "tokenize"})
    void shouldRefuseInputThatIsNotUtf8(String command) {
        assertEquals(new Run(1, "", "tidestream: standard input is not UTF-8: byte 3 is 0xe9\n"),
                withInput(new byte[] {'c', 'a', 'f', (byte) 0xE9}, command));
        assertEquals(new Run(1, "", "tidestream: standard input is not UTF-8: byte 1 is 0xf0\n"), // its end is missing
                withInput(new byte[] {'a', (byte) 0xF0, (byte) 0x9F}, command));
    }

    @Test
    void shouldSayThatTheContextHasNoRoomForSoMuch() {
        String cut = "tidestream: warning: --max-tokens 9999 is cut to 510: the model has 512 positions, and the prompt takes 2\n";
        Run run = Run.of("generate", "Once", "-n", "9999", GREEDY, "--stop", " a");
        assertEquals(List.of(0, cut), List.of(run.code(), run.err()));
        assertEquals("", Run.of("generate", "Once", "-n", "510", GREEDY, "--stop", " a").err());
    }
}

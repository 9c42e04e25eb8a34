package dev.tidestream.server.cli.keys;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.server.cli.Run;
import dev.tidestream.server.keys.ApiKey;
import dev.tidestream.server.keys.KeyFile;
import dev.tidestream.server.keys.KeyLimits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class KeysCommandTest {
    @TempDir
    Path temp;

    private Path file() {
        return temp.resolve("api-keys");
    }

    private Run add(String... args) {
        return Run.of(List.of(List.of("keys", "add", "--file", file().toString()), List.of(args)).stream().flatMap(List::stream)
                .toArray(String[]::new));
    }

    @Test
    void shouldPrintANewKeyOnceAndKeepItsHash() throws Exception {
        Run run = add("alice", "--requests-per-minute", "60", "--tokens-per-minute", "100000", "--streams", "4");
        assertEquals(0, run.code());
        assertTrue(run.out().matches("ts-[A-Za-z0-9_-]{43}\n"), run.out());
        assertEquals("The key of alice. It is shown this once: %s has its hash only.\n".formatted(file()), run.err());
        String key = run.out().strip();
        assertFalse(Files.readString(file()).contains(key));
        ApiKey found = new KeyFile(file()).read().find(key).orElseThrow();
        assertEquals("alice", found.name());
        assertEquals(new KeyLimits(60, 100_000, 4), found.limits());
    }

    @Test
    void shouldListNamesAndLimitsAndRemove() throws Exception {
        add("alice", "--requests-per-minute", "60");
        add("bob");
        assertEquals(new Run(0, """
                name   requests/min  tokens/min  streams
                alice            60         any      any
                bob             any         any      any
                """, ""), Run.of("keys", "list", "--file", file().toString()));
        assertEquals(new Run(0, "", "alice has no key in %s any more.\n".formatted(file())),
                Run.of("keys", "remove", "alice", "--file", file().toString()));
        assertEquals(List.of("bob"), new KeyFile(file()).read().keys().stream().map(ApiKey::name).toList());
    }

    @Test
    void shouldSayWhatIsWrongWithTheFile() throws Exception {
        assertEquals(new Run(1, "", "tidestream: %s: no such file\n".formatted(file())),
                Run.of("keys", "list", "--file", file().toString()));
        add("alice");
        assertEquals(new Run(1, "", "tidestream: %s: there is a key of this name: alice\n".formatted(file())), add("alice"));
        assertEquals(new Run(1, "", "tidestream: %s: no key has this name: bob\n".formatted(file())),
                Run.of("keys", "remove", "bob", "--file", file().toString()));
        Files.writeString(file(), "alice\n");
        assertEquals(new Run(1, "", "tidestream: %s: line 1: after the name comes sha256: and the hash of the key\n"
                .formatted(file())), add("bob"));
        assertEquals("alice\n", Files.readString(file()));
        Path nowhere = temp.resolve("missing").resolve("api-keys");
        Run run = Run.of("keys", "add", "alice", "--file", nowhere.toString());
        assertEquals(1, run.code());
        assertTrue(run.out().isEmpty() && run.err().contains(nowhere.toString()), run.toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            a/b | | NAME: a name must have 1 to 64 characters: letters, digits and . _ -, the first a letter or a digit: characters=3
            alice | --streams=0 | --streams must be at least 1: 0
            alice | --requests-per-minute=-1 | --requests-per-minute must be at least 1: -1
            alice | --tokens-per-minute=0 | --tokens-per-minute must be at least 1: 0
            """)
    void shouldRefuseWrongUsage(String name, String option, String why) {
        Run run = option == null ? add(name) : add(name, option);
        assertEquals(new Run(2, "", "tidestream: %s (see tidestream keys add --help)\n".formatted(why)), run);
        assertFalse(Files.exists(file()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"add", "list", "remove"})
    void shouldHelpWithExamples(String command) {
        Run help = Run.of("keys", command, "--help");
        assertEquals(0, help.code());
        assertTrue(help.out().contains("Examples:") && help.out().contains("tidestream keys " + command), help.out());
        assertTrue(Run.of("keys", "--help").out().contains(command));
    }
}

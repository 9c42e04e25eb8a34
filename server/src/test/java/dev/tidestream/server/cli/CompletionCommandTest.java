package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The script, in a real bash. */
class CompletionCommandTest {
    @TempDir
    Path temp;

    /** What bash offers behind these words; the last is the one that is being written. */
    private List<String> offers(String... words) throws Exception {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no /bin/bash");
        Path script = Files.writeString(temp.resolve("completion"), Run.of("completion", "bash").out());
        Path out = temp.resolve("out");
        String ask = """
                set -e
                source "$1"
                shift
                COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
                _complete_tidestream 2>/dev/null || true # compopt works in a completion only
                printf '%s\\n' "${COMPREPLY[@]}"
                """;
        List<String> command = new ArrayList<>(List.of("/bin/bash", "-c", ask, "ask", script.toString(), "tidestream"));
        command.addAll(List.of(words));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile()).start();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), Files.readString(out));
        return Files.readAllLines(out).stream().map(String::strip).toList();
    }

    @Test
    void shouldCompleteCommandsAndOptions() throws Exception {
        assertEquals(List.of("serve"), offers("se"));
        assertEquals(List.of("loadtest"), offers("load"));
        assertEquals(List.of("--kv-memory"), offers("serve", "--kv-m"));
        assertEquals(List.of("rollback"), offers("admin", "ro"));
    }

    @Test
    void shouldKnowEveryCommandThatThereIs() throws Exception {
        List<String> offered = offers("");
        assertTrue(offered.containsAll(Main.commandLine(new Main()).getSubcommands().keySet()), offered.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"bash", "zsh"})
    void shouldPrintTheScriptFor(String shell) {
        Run run = Run.of("completion", shell);
        assertEquals(0, run.code(), run.err());
        assertEquals(CompletionCommand.script(), run.out());
    }

    @Test
    void shouldRefuseOtherShells() {
        assertEquals(2, Run.of("completion", "fish").code());
        assertEquals(2, Run.of("completion").code());
    }
}

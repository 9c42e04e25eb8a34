package dev.tidestream.server.cli;

import java.util.concurrent.Callable;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Command;

import dev.tidestream.server.cli.terminal.CliException;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class MainTest {

    @Test
    void shouldListTheCommands() {
        Run help = Run.of("--help");
        assertEquals(0, help.code());
        assertEquals("", help.err());
        assertTrue(help.out().contains("inspect") && help.out().contains("tokenize"), help.out());
        assertEquals(help, Run.of());
    }

    @Test
    void shouldPrintItsVersion() {
        Run version = Run.of("--version");
        assertEquals(0, version.code());
        assertTrue(version.out().startsWith("tidestream "), version.out());
    }

    @ParameterizedTest
    @ValueSource(strings = {"inspect", "tokenize", "admin"})
    void shouldExplainEveryCommandWithExamples(String command) {
        Run help = Run.of(command, "--help");
        assertEquals(0, help.code());
        assertTrue(help.out().contains("Examples:") && help.out().contains("tidestream " + command), help.out());
    }

    @Test
    void shouldRefuseWrongUsageInOneLine() {
        assertEquals(new Run(2, "", "tidestream: unknown command 'nope'; there are admin, bench, chat, cluster, completion, config, "
                + "convert, eval, generate,"
                + " inspect, keys, logits, receipt, serve, tokenize, tune, weights (see tidestream --help)\n"),
                Run.of("nope"));
        assertEquals(new Run(2, "", "tidestream: unknown option '--nope' (see tidestream inspect --help)\n"),
                Run.of("inspect", "--nope"));
    }

    @Test
    void shouldReportFailuresInOneLine() {
        assertEquals(new Run(1, "", "tidestream: no-such.gguf: no such file\n"), Run.of("inspect", "no-such.gguf"));
        assertEquals(new Run(1, "", "tidestream: two lines\n"), Run.of(new Failing(new CliException("two\n  lines"))));
    }

    @Test
    void shouldShowWhereItIsAtFaultItself() {
        Run run = Run.of(new Failing(new IllegalStateException("broken")));
        assertEquals(1, run.code());
        assertTrue(run.err().startsWith("tidestream: internal error: IllegalStateException: broken\n"), run.err());
        assertTrue(run.err().contains("at dev.tidestream"), run.err());
    }

    @Command(name = "failing")
    private record Failing(RuntimeException failure) implements Callable<Integer> {
        @Override
        public Integer call() {
            throw failure;
        }
    }
}

package dev.tidestream.server.cli.bench;

import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.Callable;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

import dev.tidestream.server.cli.Run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class BenchUpdateCommandTest {

    /** On the embedded starter model. */
    @Test
    void shouldMeasureAStreamWithAndWithoutUpdates() throws JsonProcessingException {
        Run run = Run.of("bench", "update", "--updates", "2", "--warm-up-updates", "1", "--quiet-tokens", "5", "--rows", "3",
                "--rank", "1", "--threads", "1", "--json");
        assertEquals(0, run.code(), run.err());
        List<String> lines = run.out().lines().toList();
        String[] expected = {"rows", "low_rank", "nothing", "rows", "low_rank"};
        int[] updates = {1, 1, 0, 2, 2};
        assertEquals(expected.length, lines.size(), run.out());
        for (int i = 0; i < expected.length; i++) {
            JsonNode json = new ObjectMapper().readTree(lines.get(i));
            assertEquals(expected[i], json.get("while").textValue());
            assertEquals(i < 2, json.get("warm_up").booleanValue());
            assertEquals(updates[i], json.get("updates").intValue());
            assertTrue(json.get("tokens").intValue() >= 2, lines.get(i));
            JsonNode gap = json.get("gap_ms");
            assertTrue(gap.get("median").doubleValue() > 0, lines.get(i));
            assertTrue(json.get("times").doubleValue() > 0, lines.get(i));
            assertTrue(json.get("times_computed").doubleValue() > 0, lines.get(i));
            assertEquals(json.get("times").doubleValue() > 2, json.get("over_twice").intValue() > 0, lines.get(i));
            JsonNode undisturbed = json.get("times_undisturbed"); // null if every gap was disturbed
            assertTrue(undisturbed.isNull() || json.get("times").doubleValue() >= undisturbed.doubleValue(), lines.get(i));
            assertTrue(json.get("stolen_ms").doubleValue() >= 0, lines.get(i));
            assertTrue(gap.get("longest").doubleValue() >= gap.get("longest_less_break").doubleValue(), lines.get(i));
        }
    }

    private static final class Update extends BenchUpdateOptions implements Callable<Integer> {
        @Override
        public Integer call() {
            return 0;
        }
    }

    @Test
    void shouldMeasureEachKindOnce() {
        Update update = new Update();
        assertEquals(new Run(0, "", ""), Run.of(update, "--kinds", "rows,low_rank,rows"));
        assertEquals(EnumSet.allOf(BenchUpdateOptions.Kind.class), update.kinds);
    }

    /** Rows of no interest are not checked. */
    @Test
    void shouldNotMindRowsIfRanksAreMeasured() {
        Run run = Run.of("bench", "update", "--kinds", "low_rank", "--rows", "99999999", "--updates", "1", "--warm-up-updates", "0",
                "--quiet-tokens", "1", "--rank", "1", "--threads", "1", "--json");
        assertEquals(0, run.code(), run.err());
        assertEquals(2, run.out().lines().count());
    }

    @Test
    void shouldRefuseAPayloadThatDoesNotFitTheHeap() {
        BenchUpdateCommand command = new BenchUpdateCommand();
        CommandLine line = new CommandLine(command);
        command.requireFit("--rank", 8, 100, 100);
        ParameterException e = assertThrows(ParameterException.class, () -> command.requireFit("--rank", 8, 101, 100));
        assertEquals("--rank is too large here: 8, 101 bytes of payload, at most 100", e.getMessage());
        assertEquals(line, e.getCommandLine());
    }

    @ParameterizedTest
    @CsvSource({
        "--updates, 0, --updates",
        "--warm-up-updates, -1, --warm-up-updates",
        "--rank, 257, --rank",
        "--builder-share, 0, --builder-share",
        "--kinds, delta, --kinds",
        "--kinds, '', --kinds",
        "--rows, 99999999, vocabulary",
    })
    void shouldRefuseWhatMakesNoSense(String option, String value, String named) {
        Run run = Run.of("bench", "update", option, value);
        assertEquals(2, run.code(), run.err());
        assertTrue(run.err().contains(named), run.err());
    }
}

package dev.tidestream.server.cli.bench;

import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.server.cli.Run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class BenchClusterSimCommandTest {
    private static final String[] SMALL = {
        "bench", "cluster-sim", "--workers", "2,3", "--rates", "0.3,0.6", "--warmup", "2", "--duration", "10", "--json"};

    @Test
    void shouldPrintALineForEachNumberOfWorkersAndRate() throws Exception {
        Run run = Run.of(SMALL);
        assertEquals(0, run.code(), run.err());
        List<String> lines = run.out().strip().lines().toList();
        assertEquals(4, lines.size(), run.out());
        JsonNode last = new ObjectMapper().readTree(lines.get(3));
        assertEquals(3, last.get("workers").intValue());
        assertEquals(0.6, last.get("rate").doubleValue());
        assertEquals("blended", last.get("policy").textValue());
        assertEquals(last.get("asked").intValue(), last.get("finished").intValue());
        assertTrue(last.get("tokens_per_s").doubleValue() > 0, run.out());
        assertEquals(run.out(), Run.of(SMALL).out(), "a virtual clock: the same figures again");
    }

    @ParameterizedTest
    @CsvSource({
        "--workers, 0, --workers must be 1 to 2000: 0", "--policy, best, --policy must be one of",
        "--machine, m1, --machine must be one of",
        "--rates, -1, rate=-1", "--costs, 1, --costs has four numbers", "--slots, 129, slots=129", "--back, 1, detect_s=5"
    })
    void shouldSayWhichOptionIsWrong(String option, String value, String message) {
        Run run = Run.of(new String[] {"bench", "cluster-sim", "--fail-rack", "1", option, value});
        assertEquals(2, run.code());
        assertTrue(run.err().contains(message), run.err());
    }
}

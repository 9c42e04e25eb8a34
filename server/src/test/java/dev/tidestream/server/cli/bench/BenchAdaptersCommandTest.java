package dev.tidestream.server.cli.bench;

import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

import dev.tidestream.model.SharedData;
import dev.tidestream.server.cli.Run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The command on a model of two layers: what it prints, not how fast it is. */
class BenchAdaptersCommandTest {
    private static final String MODEL = SharedData.path("ties/suite/base-tied-embed-only/hf").toString();

    private static Run bench(String... more) {
        List<String> all = new ArrayList<>(List.of("bench", "adapters", "-m", MODEL, "--streams", "3", "--prompt-tokens", "4",
                "--gen-tokens", "2", "--repeat", "1", "--rank", "2", "--threads", "1"));
        all.addAll(List.of(more));
        return Run.of(all.toArray(String[]::new));
    }

    @Test
    void shouldMeasureEveryCountOfAdapters() throws Exception {
        Run run = bench("--adapters", "0,1,2", "--json");
        assertEquals(0, run.code(), run.toString());
        List<String> lines = run.out().lines().toList();
        assertEquals(6, lines.size(), run.out());
        for (int i = 0; i < lines.size(); i++) {
            JsonNode line = new ObjectMapper().readTree(lines.get(i));
            assertEquals(i < 3 ? "prefill" : "decode", line.get("test").asText());
            assertEquals(i % 3, line.get("adapters").asInt());
            assertEquals(i < 3 ? 12 : 6, line.get("tokens").asInt());
            assertTrue(line.get("tokens_per_s").asDouble() > 0, run.out());
            assertTrue(line.get("adapter_bytes").asLong() > 0, run.out());
        }
    }

    @Test
    void shouldPrintATable() {
        Run run = bench();
        assertEquals(0, run.code(), run.toString());
        assertEquals(List.of("prefill", "prefill", "prefill", "decode", "decode", "decode"),
                run.out().lines().skip(3).map(line -> line.split(" ", 2)[0]).toList(), run.out());
        assertTrue(run.out().contains("3 streams, adapters of rank 2, "), run.out());
        assertTrue(run.out().lines().skip(3).findFirst().orElseThrow().endsWith("100.0%"), run.out());
    }

    @Test
    void shouldRefuseWhatIsTooLong() {
        Run run = bench("--prompt-tokens", "100000");
        assertEquals(2, run.code());
        assertTrue(run.err().contains("100000 + 2 > "), run.err());
    }
}

package dev.tidestream.server.cli.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.server.cli.Run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class BenchHeadCommandTest {
    private static final String[] SMALL = {"bench", "head", "--seconds", "0.01", "--wall-memory", "1MiB", "--threads", "1"};

    private static class Head extends BenchHeadOptions implements Callable<Integer> {
        @Override
        public Integer call() {
            return formats().size() > 0 ? 0 : 1;
        }
    }

    private static Run small(String... more) {
        String[] args = Arrays.copyOf(SMALL, SMALL.length + more.length);
        System.arraycopy(more, 0, args, SMALL.length, more.length);
        return Run.of(args);
    }

    @Test
    void shouldMeasureWhatTheIssueNamesByDefault() {
        Head head = new Head();
        assertEquals(new Run(0, "", ""), Run.of(head));
        assertEquals(List.of(8000, 32_000, 65_000), head.vocabularies());
        assertEquals(4096, head.hidden());
        assertEquals(List.of(1, 4, 1024), head.batches());
        assertEquals(List.of(TensorFormat.F32, TensorFormat.F16, TensorFormat.Q8_0, TensorFormat.Q4_0), head.formats());
        assertEquals(Runtime.getRuntime().availableProcessors(), head.threads());
        assertEquals(1L << 30, head.wallBytes());
    }

    @Test
    void shouldSayWhichHeadsTookInt8Codes() throws JsonProcessingException {
        Run run = small("--vocab", "100", "--hidden", "64", "--batch", "1,3", "--format", "q4_0,f32", "--head-activations", "int8",
                "--json");
        assertEquals(0, run.code(), run.err());
        for (String line : run.out().lines().toList()) {
            JsonNode json = new ObjectMapper().readTree(line);
            assertEquals(json.get("format").textValue().equals("q4_0") ? "int8" : "f32",
                    json.path("head_activations").asText("f32"), line);
        }
        assertEquals(8, run.out().lines().count());
    }

    @Test
    void shouldPrintOneObjectForEachCombination() throws JsonProcessingException {
        Run run = small("--vocab", "100,64", "--hidden", "64", "--batch", "1,3", "--format", "q4_0,f32,bf16", "--json");
        assertEquals(0, run.code(), run.err());
        assertEquals("", run.err());
        Set<String> seen = new TreeSet<>();
        for (String line : run.out().lines().toList()) {
            JsonNode json = new ObjectMapper().readTree(line);
            assertEquals(Set.of("mode", "format", "vocab", "hidden", "batch", "us", "gb_per_s", "wall_gb_per_s", "bytes_held"),
                    new TreeSet<>(json.properties().stream().map(Map.Entry::getKey).toList()));
            assertTrue(json.get("us").doubleValue() > 0 && json.get("gb_per_s").doubleValue() > 0
                    && json.get("wall_gb_per_s").doubleValue() > 0, line);
            assertEquals(64, json.get("hidden").intValue());
            seen.add("%s %s %s %s %s".formatted(json.get("mode").textValue(), json.get("format").textValue(), json.get("vocab"),
                    json.get("batch"), json.get("bytes_held")));
        }
        Set<String> expected = new TreeSet<>();
        for (int vocab : new int[] {100, 64}) {
            int panelRows = Math.ceilDiv(vocab, 32) * 32;
            for (int batch : new int[] {1, 3}) {
                int f32 = panelRows * 64 * 4;
                expected.add("packed f32 %d %d %d".formatted(vocab, batch, f32));
                expected.add("packed bf16 %d %d %d".formatted(vocab, batch, panelRows * 64 * 2));
                expected.add("packed q4_0 %d %d %d".formatted(vocab, batch, panelRows * 64 / 32 * 18));
                expected.add("cached-transpose f32 %d %d %d".formatted(vocab, batch, f32 + vocab * 64 * 4));
                expected.add("transpose-per-step f32 %d %d %d".formatted(vocab, batch, f32 + vocab * 64 * 4));
            }
        }
        assertEquals(expected, seen);
        assertEquals(20, run.out().lines().count());
    }

    @ParameterizedTest
    @CsvSource({"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K"})
    void shouldMeasureEveryFormat(String format) {
        Run run = small("--vocab", "70", "--hidden", "256", "--batch", "1", "--format", format);
        assertEquals(0, run.code(), run.err());
        List<String> lines = run.out().lines().toList();
        assertTrue(lines.get(1).startsWith("MODE"), run.out());
        assertEquals(1, lines.stream().filter(line -> line.startsWith("packed             " + format.toLowerCase(Locale.ROOT)))
                .count(), run.out());
        assertEquals(2 + 3, lines.size(), run.out());
    }

    @Test
    void shouldSayWhatDoesNotFit() {
        Run run = small("--vocab", "1,16777216", "--hidden", "65536", "--batch", "1", "--format", "f32");
        assertEquals(0, run.code(), run.err());
        String skipped = "tidestream: skipped weights f32 vocab=16777216: needed_bytes=8796093022208, available_bytes=";
        assertTrue(run.err().contains(skipped), run.err());
        assertEquals(2 + 3, run.out().lines().count());
        Run nothing = small("--vocab", "16777216", "--hidden", "65536", "--batch", "1", "--format", "f32");
        assertEquals(1, nothing.code());
        assertTrue(nothing.err().contains("tidestream: nothing was measured"), nothing.err());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--vocab 0               | --vocab must be 1 to 16777216: 0",
        "--batch 1,5000          | --batch must be 1 to 4096: 5000",
        "--seconds 0             | --seconds must be above 0 and at most 3600.0: 0.0",
        "--seconds NaN           | --seconds must be above 0 and at most 3600.0: NaN",
        "--hidden 100            | --hidden must be a multiple of 32 for q8_0: 100",
        "--format q4_k --hidden 32 | --hidden must be a multiple of 256 for q4_k: 32",
        "--threads 0             | --threads must be 1 to 1024: 0"})
    void shouldRefuseWrongValues(String args, String message) {
        String line = "tidestream: %s (see head --help)\n".formatted(message);
        assertEquals(new Run(2, "", line), Run.of(new Head(), args.split(" ", -1)));
    }

    @Test
    void shouldExplainItself() {
        Run help = Run.of("bench", "head", "--help");
        assertEquals(0, help.code());
        assertTrue(help.out().contains("tidestream bench head --vocab 8000,32000,65000 --hidden 4096"), help.out());
        assertTrue(Run.of("bench", "--help").out().contains("head"));
        assertEquals(2, Run.of("bench", "head", "--format", "q3").code());
    }
}

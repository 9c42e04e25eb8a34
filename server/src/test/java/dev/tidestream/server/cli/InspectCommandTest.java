package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.GgufWriter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class InspectCommandTest {
    @TempDir
    Path folder;

    private Path model() {
        return new GgufWriter()
                .string("general.name", "a \u001b[31mred\nname")
                .u64("big", -1)
                .bool("yes", true)
                .float32("eps", 1e-5f)
                .strings("tokens", List.of("a", "b\"", "c", "d"))
                .tensor("embd", new float[8], 4, 2)
                .tensor("norm", new float[4], 4)
                .write(folder.resolve("tiny.gguf"));
    }

    @Test
    void shouldPrintTables() {
        Path path = model();
        Run run = Run.of("inspect", path.toString());
        assertEquals(0, run.code(), run.err());
        assertEquals("", run.err());
        assertTrue(run.out().startsWith(path + ": GGUF version 3, "), run.out());
        assertTrue(run.out().contains("5 keys, 2 tensors, 12 parameters (2 F32)\n"), run.out());
        List<String> lines = run.out().lines().toList();
        assertTrue(lines.contains("general.name  string     a \\u001b[31mred\\nname"), run.out());
        assertTrue(lines.contains("big           u64        18446744073709551615"), run.out());
        assertTrue(lines.contains("tokens        string[4]  [\"a\", \"b\\\"\", \"c\", …]"), run.out());
        assertTrue(lines.stream().anyMatch(line -> line.matches("embd +F32 +4 x 2 +\\d+ +32")), run.out());
        assertEquals(run, Run.of("inspect", "--model", path.toString()));
    }

    @Test
    void shouldPrintJson() throws IOException {
        Path path = model();
        Run run = Run.of("inspect", "--json", path.toString());
        assertEquals(0, run.code(), run.err());
        JsonNode json = new ObjectMapper().readTree(run.out());
        assertEquals(path.toString(), json.get("file").asText());
        assertEquals(3, json.get("version").asInt());
        assertEquals(12, json.get("parameters").asInt());
        assertEquals("18446744073709551615", json.get("metadata").get("big").asText());
        assertEquals(1e-5, json.get("metadata").get("eps").asDouble());
        assertEquals(4, json.get("metadata").get("tokens").size());
        assertEquals("b\"", json.get("metadata").get("tokens").get(1).asText());
        JsonNode tensor = json.get("tensors").get(0);
        assertEquals("embd", tensor.get("name").asText());
        assertEquals("F32", tensor.get("type").asText());
        assertEquals("[4,2]", tensor.get("shape").toString());
        assertEquals(32, tensor.get("bytes").asInt());
    }

    @Test
    void shouldSayInWordsWhatAModelIs() throws IOException {
        String path = SharedData.path("golden/models/gpt2_prefixed/gguf/gpt2_prefixed-F16_with_output.gguf").toString();
        Run run = Run.of("inspect", path);
        assertEquals(0, run.code(), run.err());
        assertEquals(List.of(
                "architecture: gpt2: 2 layers, hidden size 64, vocabulary 512, context 64, learned positions",
                "attention: 2 query heads and 2 key/value heads of 32 elements, no rotation, biases everywhere",
                "feed-forward: 256 elements, not gated, gelu tanh, with biases",
                "norms: layer norm (eps 1.0E-5, with bias)",
                "output head: tied to the embedding (the file holds the same matrix twice, as output.weight as well; one copy is kept)"),
                run.out().lines().skip(2).limit(5).toList());
        JsonNode model = new ObjectMapper().readTree(Run.of("inspect", "--json", path).out()).get("model");
        assertEquals("256 elements, not gated, gelu tanh, with biases", model.get("feed_forward").asText());
        assertTrue(model.get("output_head").asText().startsWith("tied to the embedding"), model.toString());
    }

    @Test
    void shouldSayWhatItCannotRun() {
        Path path = new GgufWriter().string("general.architecture", "mamba").tensor("a", new float[4], 4).write(folder.resolve("m.gguf"));
        Run run = Run.of("inspect", path.toString());
        assertEquals(1, run.code());
        assertTrue(run.out().contains("general.architecture  string  mamba"), run.out());
        assertEquals("tidestream: %s: general.architecture is not supported: mamba (supported: llama, qwen2, qwen3, gpt2)\n"
                .formatted(path), run.err());
    }

    @Test
    void shouldRefuseTwoFiles() {
        assertEquals(new Run(2, "", "tidestream: give FILE or --model, not both (see tidestream inspect --help)\n"),
                Run.of("inspect", "a.gguf", "--model", "b.gguf"));
    }
}

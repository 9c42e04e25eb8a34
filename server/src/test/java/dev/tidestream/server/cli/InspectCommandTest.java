package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Assumptions;
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
        assertEquals(("tidestream: %s: general.architecture is not supported: mamba (supported: llama, qwen2, qwen3, gemma, gemma2, gemma3,"
                + " smollm3, phi3, gpt2, bitnet, bitnet-25, bitnet-b1.58)\n").formatted(path), run.err());
    }

    @Test
    void shouldRefuseTwoFiles() {
        assertEquals(new Run(2, "", "tidestream: give FILE or --model, not both (see tidestream inspect --help)\n"),
                Run.of("inspect", "a.gguf", "--model", "b.gguf"));
    }

    /** Everything that a file says: its name, keys, values, names of tensors; and its own path. */
    @Test
    void shouldPrintNothingThatActsOnATerminal() throws IOException {
        Path path = new GgufWriter()
                .string("general.name", "\u001b[31mEVIL\u001b[0m\nt: ready on ws://198.51.100.7:9/v1/stream")
                .string("k\u001b]0;title\u0007\r", "\u202egnp.exe\u2028\u009b2J")
                .tensor("t\u001b[2J\n", new float[4], 4)
                .write(folder.resolve("a\u001b[1m\u202e.gguf"));
        Run table = Run.of("inspect", path.toString());
        Run json = Run.of("inspect", "--json", path.toString());
        assertEquals(List.of(0, 0), List.of(table.code(), json.code()), table.err() + json.err());
        for (String text : List.of(table.out(), json.out())) {
            assertTrue(text.chars().noneMatch(c -> c != '\n' && (c < ' ' || c == 0x7F || (c >= 0x80 && c < 0xA0) || c == 0x202E
                    || c == 0x2028)), text);
        }
        assertTrue(table.out().contains("/a\\u001b[1m\\u202e.gguf: GGUF version 3, "), table.out());
        assertTrue(table.out().lines().noneMatch(line -> line.startsWith("t: ready")), table.out());
        JsonNode read = new ObjectMapper().readTree(json.out());
        assertEquals("\u202egnp.exe\u2028\u009b2J", read.get("metadata").get("k\u001b]0;title\u0007\r").asText());
        assertEquals("t\u001b[2J\n", read.get("tensors").get(0).get("name").asText());
        assertEquals(path.toString(), read.get("file").asText());
    }

    /** An error that repeats what the file says. */
    @Test
    void shouldReportFailuresInPrintableText() {
        Path path = new GgufWriter().string("general.architecture", "evil\u001b[2J\ntidestream: ready")
                .write(folder.resolve("b.gguf"));
        Run run = Run.of("generate", "-m", path.toString(), "Once");
        assertEquals(1, run.code());
        assertTrue(run.err().startsWith("tidestream: ") && run.err().lines().count() == 1, run.err());
        assertTrue(run.err().contains("\\u001b[2J") && run.err().indexOf('\u001b') < 0, run.err());
    }

    @Test
    void shouldSayWhyAFileCannotBeRead() throws IOException {
        Path loop = folder.resolve("loop.gguf");
        Files.createSymbolicLink(loop, loop);
        Run run = Run.of("inspect", loop.toString());
        assertTrue(run.code() == 1 && run.err().startsWith("tidestream: %s: cannot be read: too many levels".formatted(loop)),
                run.err());
        assertEquals(new Run(1, "", ("tidestream: %s: a directory, not a GGUF file, and neither model.safetensors nor"
                + " model.safetensors.index.json is in it\n").formatted(folder)),
                Run.of("inspect", folder.toString()));
        Path path = model();
        Assumptions.assumeTrue(path.getFileSystem().supportedFileAttributeViews().contains("posix"), "no permissions");
        Files.setPosixFilePermissions(path, Set.of());
        Assumptions.assumeFalse(Files.isReadable(path), "this user may read everything");
        assertEquals(new Run(1, "", "tidestream: %s: cannot be read: permission denied\n".formatted(path)),
                Run.of("inspect", path.toString()));
    }
}

package dev.tidestream.server.cli;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Hugging Face folders as GGUF files. */
class FolderConversionTest {
    @TempDir
    Path temp;

    private static Path golden(String relative) {
        return SharedData.path("golden/models/" + relative);
    }

    private Path convert(String name, String format) {
        Path out = temp.resolve(format + ".gguf");
        Run run = Run.of("convert", "--to", format, golden(name + "/hf").toString(), out.toString());
        assertEquals(0, run.code(), run.err());
        return out;
    }

    /** The folder brought into the format when it is loaded, or written in it and loaded: equal bits. */
    @ParameterizedTest
    @ValueSource(strings = {"bitnet", "bitnet_online", "bitnet_plain", "bitnet_silu", "gemma3", "gpt2", "gpt2_prefixed", "llama3",
        "llama_bitlinear", "qwen2", "qwen3"})
    void shouldGiveTheLogitsOfTheFolderWithTheSameWeights(String name) throws IOException {
        String tokens = StreamSupport.stream(new ObjectMapper().readTree(golden(name + "/golden.json").toFile()).get("prompt_ids")
                .spliterator(), false)
                .map(Object::toString).collect(Collectors.joining(","));
        Path expected = temp.resolve("expected");
        Path actual = temp.resolve("actual");
        Run folder = Run.of("logits", "-m", golden(name + "/hf").toString(), "--weights", "q8_0", "--tokens", tokens, "-o",
                expected.toString());
        assertEquals(0, folder.code(), folder.err());
        Run file = Run.of("logits", "-m", convert(name, "q8_0").toString(), "--tokens", tokens, "-o", actual.toString());
        assertEquals(0, file.code(), file.err());
        assertEquals(-1, Files.mismatch(expected, actual));
        assertTrue(Files.size(actual) > 0);
    }

    /** More rows than tokens: the file has a token for each, as llama.cpp's converter writes them; none of them is generated or named. */
    @Test
    void shouldHaveATokenForEachRow() throws IOException {
        Path padded = SharedData.path("ties/suite/base-padded-vocab");
        Path out = temp.resolve("padded.gguf");
        assertEquals(0, Run.of("convert", "--to", "bf16", padded.resolve("hf").toString(), out.toString()).code());
        try (GgufFile theirs = GgufFile.open(padded.resolve("model-BF16.gguf")); GgufFile ours = GgufFile.open(out)) {
            assertEquals(theirs.metadata().strings("tokenizer.ggml.tokens"), ours.metadata().strings("tokenizer.ggml.tokens"));
            assertArrayEquals(theirs.metadata().findInts("tokenizer.ggml.token_type").orElseThrow(),
                    ours.metadata().findInts("tokenizer.ggml.token_type").orElseThrow());
            assertEquals(544, ours.tokens().orElseThrow());
        }
        JsonNode golden = new ObjectMapper().readTree(padded.resolve("golden.json").toFile());
        for (Path model : List.of(padded.resolve("hf"), padded.resolve("model-BF16.gguf"), out)) {
            Run run = Run.of("generate", "-m", model.toString(), "--temperature", "0", "-n", "32", "--json", "--activations",
                    "f32", "--kv-type",
                    "f32", "--prompt", golden.get("prompt").asText());
            assertEquals(0, run.code(), run.err());
            assertEquals(golden.get("prompt_ids"), new ObjectMapper().readTree(run.out()).get("prompt_tokens"), model.toString());
            assertEquals(golden.get("greedy_ids"), new ObjectMapper().readTree(run.out()).get("tokens"), model.toString());
            Run refused = Run.of("logits", "-m", model.toString(), "--tokens", "1,512", "-o", temp.resolve("none").toString());
            assertEquals(2, refused.code());
            assertTrue(refused.err().contains("token=512, vocabulary=512"), refused.err());
        }
    }

    @Test
    void shouldSayThatThereIsNoTokenizer() throws IOException {
        Path folder = Files.createDirectory(temp.resolve("folder"));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(golden("qwen2/hf/" + file), folder.resolve(file));
        }
        Path out = temp.resolve("out.gguf");
        Run run = Run.of("convert", "--to", "q8_0", folder.toString(), out.toString());
        assertEquals(0, run.code(), run.err());
        assertTrue(run.err().startsWith("tidestream: warning: %s has no tokenizer: ".formatted(folder)), run.err());
        for (Path model : List.of(folder, out)) {
            Run refused = Run.of("generate", "-m", model.toString(), "a");
            assertEquals(1, refused.code());
            assertTrue(refused.err().startsWith("tidestream: %s: no tokenizer in this ".formatted(model)), refused.err());
            assertEquals(0, Run.of("logits", "-m", model.toString(), "--tokens", "1,2", "-o", temp.resolve("logits").toString()).code());
        }
    }

    @Test
    void shouldComputeLogitsOfTokenIdsWithoutUnderstandingTheTokenizer() throws IOException {
        Path folder = Files.createDirectory(temp.resolve("folder"));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(golden("qwen2/hf/" + file), folder.resolve(file));
        }
        Files.writeString(folder.resolve("tokenizer.json"), "{\"model\":{\"type\":\"Morse\"}}");
        Run logits = Run.of("logits", "-m", folder.toString(), "--tokens", "1,2", "-o", temp.resolve("logits").toString());
        assertEquals(0, logits.code(), logits.err());
        for (Run refused : List.of(Run.of("generate", "-m", folder.toString(), "a"),
                Run.of("convert", "--to", "q8_0", folder.toString(), temp.resolve("out.gguf").toString()))) {
            assertEquals(1, refused.code());
            assertTrue(refused.err().contains("tokenizer.json"), refused.err());
            assertFalse(refused.err().contains("no tokenizer"), refused.err());
        }
    }

    /** What llama.cpp's converter and quantiser make of the same folder: the same matrices, byte for byte. */
    @ParameterizedTest
    @CsvSource({"llama3,Q8_0", "llama3,Q4_0", "qwen2,Q4_0", "qwen3,Q8_0", "gemma3,Q8_0", "gemma3,Q4_0", "gpt2,Q8_0", "gpt2,Q4_0"})
    void shouldWriteTheMatricesThatLlamaCppWrites(String name, String format) {
        try (GgufFile theirs = GgufFile.open(golden("%s/gguf/%s-%s.gguf".formatted(name, name, format)));
                GgufFile ours = GgufFile.open(convert(name, format)); Arena arena = Arena.ofConfined()) {
            int compared = 0;
            for (GgufTensor tensor : theirs.tensors().values()) {
                if (tensor.type().name().equals(format) || tensor.type().name().equals("Q8_0")) {
                    GgufTensor our = ours.tensor(tensor.name());
                    assertEquals(tensor.type(), our.type(), tensor.name());
                    assertEquals(-1, theirs.data(tensor, arena).mismatch(ours.data(our, arena)), tensor.name());
                    compared++;
                }
            }
            assertTrue(compared >= 8, "compared=" + compared);
            assertEquals(theirs.metadata().u32("general.file_type"), ours.metadata().u32("general.file_type"));
            assertEquals(theirs.tensors().containsKey("output.weight"), ours.tensors().containsKey("output.weight"));
        }
    }
}

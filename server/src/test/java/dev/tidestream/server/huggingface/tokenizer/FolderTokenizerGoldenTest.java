package dev.tidestream.server.huggingface.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.tokenizer.IncrementalDetokenizer;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.Tokenizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Ids and texts that Hugging Face's tokenizers gave, of every folder there is. */
class FolderTokenizerGoldenTest {

    @ParameterizedTest
    @CsvSource({"gpt2, gpt2", "gpt2, gpt2_prefixed", "llama3, llama3", "llama3, bitnet", "qwen2, qwen2", "qwen2, qwen3", "gemma, gemma3"})
    void shouldAgreeWithHuggingFace(String kind, String model) throws IOException {
        compare(kind, Tokenizers.of(FolderTokenizer.read(SharedData.path("golden/models/" + model + "/hf"))));
    }

    @Test
    void shouldReadSentencePiecesOwnFile(@TempDir Path folder) throws IOException {
        for (String file : List.of("tokenizer.model", "tokenizer_config.json", "generation_config.json")) {
            Files.copy(SharedData.path("golden/models/gemma3/hf/" + file), folder.resolve(file));
        }
        compare("gemma", Tokenizers.of(FolderTokenizer.read(folder)));
    }

    @Test
    void shouldReadVocabularyAndMerges(@TempDir Path folder) throws IOException {
        Path source = SharedData.path("golden/models/gpt2/hf");
        JsonNode model = json(source.resolve("tokenizer.json")).get("model");
        Files.writeString(folder.resolve("vocab.json"), model.get("vocab").toString());
        StringBuilder merges = new StringBuilder("#version: 0.2\n");
        model.get("merges").forEach(merge -> merges.append(merge.get(0).asText()).append(' ').append(merge.get(1).asText()).append('\n'));
        Files.writeString(folder.resolve("merges.txt"), merges);
        Files.copy(source.resolve("tokenizer_config.json"), folder.resolve("tokenizer_config.json"));
        compare("gpt2", Tokenizers.of(FolderTokenizer.read(folder)));
    }

    private static void compare(String kind, Tokenizer tokenizer) throws IOException {
        JsonNode golden = json(SharedData.path("golden/tokenizers/" + kind + ".json"));
        assertTrue(golden.get("cases").size() > 50);
        for (JsonNode each : golden.get("cases")) {
            String text = each.get("text").asText();
            int[] ids = ids(each.get("ids"));
            assertArrayEquals(ids, tokenizer.encode(text, false, false), () -> "encoding '" + text + "'");
            assertEquals(each.get("decoded").asText(), tokenizer.decode(ids));
            assertEquals(tokenizer.decode(ids), streamed(tokenizer, ids));
        }
        for (JsonNode each : golden.get("cases_with_special_tokens")) {
            String text = each.get("text").asText();
            assertArrayEquals(ids(each.get("ids")), tokenizer.encode(text, false, true), () -> "encoding '" + text + "'");
        }
        assertArrayEquals(ids(golden.get("ids_with_add_special_tokens_for_text_Hello")), tokenizer.encode("Hello", true, false));
    }

    @Test
    void shouldEncodeThePromptOfEveryFolder() throws IOException {
        int compared = 0;
        for (Path root : List.of(SharedData.path("golden/models"), SharedData.path("ties/suite"))) {
            for (Path folder : folders(root)) {
                JsonNode golden = json(folder.resolveSibling("golden.json"));
                if (golden.path("prompt_ids").isMissingNode()) {
                    continue;
                }
                Tokenizer tokenizer = Tokenizers.of(FolderTokenizer.read(folder));
                int[] ids = ids(golden.get("prompt_ids"));
                assertArrayEquals(ids, tokenizer.encodePrompt(golden.get("prompt").asText(), false), folder::toString);
                assertArrayEquals(ids, tokenizer.encode(golden.get("prompt").asText(), true, false), folder::toString);
                int[] greedy = ids(golden.path("greedy_ids"));
                if (golden.has("greedy_text") && !golden.get("greedy_text").asText().contains("\uFFFD")) {
                    assertEquals(golden.get("greedy_text").asText(), tokenizer.decode(greedy), folder::toString);
                }
                compared++;
            }
        }
        assertTrue(compared >= 20, "compared=" + compared);
    }

    @Test
    void shouldEndWithEveryTokenThatTheConfigurationNames() throws IOException {
        for (Path folder : folders(SharedData.path("golden/models"))) {
            Tokenizer tokenizer = Tokenizers.of(FolderTokenizer.read(folder));
            JsonNode eos = json(folder.resolve("generation_config.json")).get("eos_token_id");
            for (int id : eos.isArray() ? ids(eos) : new int[] {eos.asInt()}) {
                assertTrue(tokenizer.isEndOfGeneration(id), folder + ": " + id);
            }
        }
    }

    private static List<Path> folders(Path root) throws IOException {
        try (Stream<Path> paths = Files.find(root, 2, (path, _) -> path.endsWith("hf")
                && Files.exists(path.resolve("tokenizer.json")) && Files.exists(path.resolveSibling("golden.json")))) {
            return paths.sorted().toList();
        }
    }

    private static JsonNode json(Path file) throws IOException {
        return new ObjectMapper().readTree(file.toFile());
    }

    private static int[] ids(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
    }

    private static String streamed(Tokenizer tokenizer, int[] ids) {
        IncrementalDetokenizer detokenizer = tokenizer.newDetokenizer(new int[0]);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(detokenizer.append(id));
        }
        return text.append(detokenizer.flush()).toString();
    }
}

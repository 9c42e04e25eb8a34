package dev.tidestream.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Ids and texts of Hugging Face tokenizers and of the golden models' prompts. */
class TokenizerGoldenTest {

    @ParameterizedTest
    @CsvSource({
        "gpt2, gpt2/gguf/gpt2-Q8_0.gguf",
        "llama3, llama3/gguf/llama3-Q4_0.gguf",
        "qwen2, qwen2/gguf/qwen2-Q4_0.gguf",
        "gemma, gemma3/gguf/gemma3-Q4_0.gguf"
    })
    void shouldAgreeWithHuggingFace(String kind, String gguf) {
        Tokenizer tokenizer = Golden.tokenizer("golden/models/" + gguf);
        JsonNode golden = Golden.json(SharedData.path("golden/tokenizers/" + kind + ".json"));
        assertTrue(golden.get("cases").size() > 50);
        for (JsonNode each : golden.get("cases")) {
            String text = each.get("text").asText();
            int[] ids = Golden.ids(each.get("ids"));
            assertArrayEquals(ids, tokenizer.encode(text, false, false), () -> "encoding '" + text + "'");
            assertEquals(each.get("decoded").asText(), tokenizer.decode(ids));
        }
        for (JsonNode each : golden.get("cases_with_special_tokens")) {
            String text = each.get("text").asText();
            int[] ids = Golden.ids(each.get("ids"));
            assertArrayEquals(ids, tokenizer.encode(text, false, true), () -> "encoding '" + text + "'");
        }
        int[] hello = Golden.ids(golden.get("ids_with_add_special_tokens_for_text_Hello"));
        assertArrayEquals(hello, tokenizer.encode("Hello", true, false));
    }

    @Test
    void shouldEncodePromptsOfGoldenModels() {
        int compared = 0;
        for (Path golden : Golden.list(SharedData.path("golden/models"), "golden.json")) {
            JsonNode json = Golden.json(golden);
            for (Path gguf : Golden.list(golden.resolveSibling("."), "*.gguf")) {
                int[] ids = Golden.tokenizer(gguf).encode(json.get("prompt").asText(), true, false);
                assertArrayEquals(Golden.ids(json.get("prompt_ids")), ids, gguf::toString);
                compared++;
            }
        }
        assertTrue(compared >= 20, "compared=" + compared);
    }

    @Test
    void shouldStreamContinuationsOfStories() {
        Tokenizer tokenizer = Golden.tokenizer("models/stories260K/stories260K.gguf");
        JsonNode cases = Golden.json(SharedData.path("golden/stories260K/prompts.json")).get("cases");
        assertEquals(8, cases.size());
        for (JsonNode each : cases) {
            int[] prompt = tokenizer.encode(each.get("prompt").asText(), true, false);
            assertArrayEquals(Golden.ids(each.get("prompt_ids")), prompt);
            int[] generated = Golden.ids(each.get("greedy_ids"));
            String expected = each.get("continuation_text").asText();
            assertEquals(expected, stream(tokenizer.newDetokenizer(), generated));
            assertEquals(expected, stream(tokenizer.newDetokenizer(prompt), generated));
        }
    }

    @Test
    void shouldStripThePrefixSpaceOfAStreamFromBos() {
        Tokenizer tokenizer = Golden.tokenizer("models/stories260K/stories260K.gguf");
        JsonNode golden = Golden.json(SharedData.path("models/stories260K/greedy_bos.json"));
        int[] ids = Golden.ids(golden.get("ids"));
        int[] prompt = tokenizer.encode("", true, false);
        assertArrayEquals(Golden.ids(golden.get("prompt_ids")), prompt);
        assertEquals(golden.get("text").asText(), tokenizer.decode(ids));
        assertEquals(golden.get("text").asText(), stream(tokenizer.newDetokenizer(prompt), ids));
    }

    @ParameterizedTest
    @ValueSource(strings = {"q8_0", "q4_0"})
    void shouldEncodePromptsOfStarter(String format) {
        Tokenizer tokenizer = Golden.tokenizer("starter/starter-" + format + ".gguf");
        JsonNode cases = Golden.json(SharedData.path("starter/greedy-" + format + ".json")).get("cases");
        assertFalse(cases.isEmpty());
        for (JsonNode each : cases) {
            assertArrayEquals(
                    Golden.ids(each.get("prompt_tokens")), tokenizer.encode(each.get("prompt").asText(), true, false));
            assertEquals(each.get("text").asText(), stream(tokenizer.newDetokenizer(), Golden.ids(each.get("tokens"))));
        }
        assertTrue(tokenizer.isEndOfGeneration(0));
        assertEquals(0, tokenizer.bosToken().orElseThrow());
    }

    @Test
    void shouldHaveTheVocabularyOfTheStartersTokenizerJson() {
        Tokenizer tokenizer = Golden.tokenizer("starter/starter-q8_0.gguf");
        JsonNode vocabulary = Golden.json(SharedData.path("starter/hf/tokenizer.json")).at("/model/vocab");
        assertEquals(tokenizer.vocabularySize(), vocabulary.size());
        for (Map.Entry<String, JsonNode> each : vocabulary.properties()) {
            int id = each.getValue().asInt();
            byte[] expected = id == 0 ? new byte[0] : ByteAlphabet.bytesOf(each.getKey());
            assertArrayEquals(expected, tokenizer.tokenBytes(id), () -> "token " + id);
        }
    }

    @Test
    void shouldReplaceUnpairedSurrogates() {
        Tokenizer tokenizer = Golden.tokenizer("starter/starter-q8_0.gguf");
        for (String text : List.of("a\uD800b", "\uDC00", "x\uD83E", "\uD83E\uDD99\uD83E\uD83E\uDD99")) {
            String expected = new String(text.getBytes(StandardCharsets.UTF_16BE), StandardCharsets.UTF_16BE);
            assertEquals(expected, tokenizer.decode(tokenizer.encode(text, true, true)));
        }
    }

    private static String stream(IncrementalDetokenizer detokenizer, int[] ids) {
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(detokenizer.append(id));
        }
        return text.append(detokenizer.flush()).toString();
    }
}

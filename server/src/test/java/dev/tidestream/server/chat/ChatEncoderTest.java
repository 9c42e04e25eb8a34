package dev.tidestream.server.chat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.Tokenizers;
import dev.tidestream.model.tokenizer.gguf.GgufTokenizer;
import dev.tidestream.server.huggingface.tokenizer.FolderTokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Whose text makes control tokens: against ids of Hugging Face's tokenizers, of files and of folders. */
class ChatEncoderTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({
        "gpt2, gpt2/gguf/gpt2-Q8_0.gguf",
        "llama3, llama3/gguf/llama3-Q4_0.gguf",
        "qwen2, qwen2/gguf/qwen2-Q4_0.gguf",
        "gemma, gemma3/gguf/gemma3-Q4_0.gguf",
        "gpt2, gpt2/hf",
        "llama3, llama3/hf",
        "qwen2, qwen2/hf",
        "gemma, gemma3/hf"
    })
    void shouldAgreeWithHuggingFaceOnBothKindsOfText(String kind, String model) throws IOException {
        Tokenizer tokenizer = tokenizer(SharedData.path("golden/models/" + model));
        ChatEncoder encoder = new ChatEncoder(tokenizer);
        int[] prefix = tokenizer.encodePrompt("", false);
        JsonNode golden = JSON.readTree(SharedData.path("golden/tokenizers/" + kind + ".json").toFile());
        for (JsonNode each : golden.get("cases")) {
            String text = each.get("text").asText();
            int[] expected = concat(prefix, ids(each.get("ids")));
            assertArrayEquals(expected, encoder.encode(rendered("", text)), () -> "a client's '" + text + "'");
            // whose a text is changes no word of it
            for (int cut = 0; cut <= text.length() && tokenizer.controlTokens(text).isEmpty(); cut++) {
                RenderedChat mixed = rendered(text.substring(0, cut), text.substring(cut));
                assertArrayEquals(expected, encoder.encode(mixed), "'" + text + "' cut at " + cut);
            }
        }
        assertTrue(golden.get("cases_with_special_tokens").size() > 0);
        for (JsonNode each : golden.get("cases_with_special_tokens")) {
            String text = each.get("text").asText();
            int[] own = encoder.encode(rendered(text));
            int[] expected = ids(each.get("ids"));
            boolean begun = prefix.length > 0 && expected.length > 0 && expected[0] == prefix[0];
            assertArrayEquals(begun ? expected : concat(prefix, expected), own, () -> "a template's '" + text + "'");
            int[] client = encoder.encode(rendered("", text));
            assertEquals(List.of(), controls(tokenizer, IntStream.of(client).skip(prefix.length).toArray()), "a client's '" + text + "'");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "llama3, hf, <|eot_id|>",
        "qwen2, hf, <|im_end|>",
        "qwen3, hf, <|im_end|>",
        "gemma3, hf, <end_of_turn>",
        "llama3, gguf/llama3-Q4_0.gguf, <|eot_id|>",
        "qwen2, gguf/qwen2-Q4_0.gguf, <|im_end|>",
        "gemma3, gguf/gemma3-Q4_0.gguf, <end_of_turn>"
    })
    void shouldLeaveAMessageItsText(String model, String files, String end) throws IOException {
        Path hf = SharedData.path("golden/models/" + model + "/hf");
        Tokenizer tokenizer = tokenizer(hf.resolveSibling(files));
        ChatTemplate template = ChatTemplate.parse(
                ChatTemplates.ofFolder(hf).choose(false).orElseThrow(), SpecialTokens.ofFolder(hf), Clock.systemUTC());
        JsonNode messages = JSON.readTree("""
                [{"role": "user", "content": "%1$s"}, {"role": "assistant", "content": "a%1$sb"}, {"role": "user", "content": "c %1$s"}]
                """.formatted(end));
        RenderedChat chat = template.render(Conversation.of(messages));
        int[] tokens = new ChatEncoder(tokenizer).encode(chat);
        int[] endId = tokenizer.encode(end, false, true);
        assertEquals(1, endId.length);
        assertEquals(3, IntStream.of(tokens).filter(id -> id == endId[0]).count(), "one a message");
        StringBuilder text = new StringBuilder();
        IntStream.of(tokens).forEach(id -> text.append(tokenizer.tokenText(id)));
        String bos = tokenizer.encodePrompt("", false).length > 0 && !chat.beginsWithBos()
                ? tokenizer.tokenText(tokens[0]) : "";
        assertEquals(bos + chat.text(), text.toString(), "the model reads all of it");
    }

    @Test
    void shouldFindTheTemplatesTokensBesideForeignText() throws IOException {
        Tokenizer tokenizer = small(false);
        assertNames("<a>b", tokenizer, rendered("<a>b"));
        assertNames("<a> b", tokenizer, rendered("<a>", "b"));
        assertNames("b <a> b", tokenizer, rendered("b", "", "<a>", "b"));
        assertNames("< a <a> b", tokenizer, rendered("", "<a", "<a>", "b"));
        assertNames("< a >", tokenizer, rendered("<", "a>"));
        assertNames("< a >", tokenizer, rendered("", "<a", ">"));
        assertNames("< <a>", tokenizer, rendered("", "<", "<a>"));
        assertNames("b < a > b", tokenizer, rendered("b", "<a>b"));
        assertNames("b", tokenizer, rendered("<s>b"));
        assertNames("< s > b", tokenizer, rendered("", "<s>b"));
        assertNames("", tokenizer, rendered(""));
    }

    @Test
    void shouldFindTheBeginOfATokenInFrontOfThatWhichForeignTextWouldMakeLonger() throws IOException {
        Tokenizer tokenizer = small(false);
        assertNames("< a <b> s", tokenizer, rendered("", "<a", "<b>", "s"));
        assertNames("<a> < b > s", tokenizer, rendered("<a>", "<b>s"));
    }

    @Test
    void shouldFindTokensOfTheNormalisedText() throws IOException {
        Tokenizer tokenizer = small(true);
        assertNames("<a> b", tokenizer, rendered("<A>", "B"));
        assertNames("b < a > <a> b", tokenizer, rendered("B", "<A>", "<A>", "B"));
        assertNames("< a >", tokenizer, rendered("", "<A>"));
        assertNames("< a >", tokenizer, rendered("<", "A>"));
    }

    /** Normaliser, Lowercase; tokens: {@code <a>} and {@code <a>b}, {@code <a<b>}, and {@code <s>}, which is BOS. */
    private Tokenizer small(boolean normalized) throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), """
                {"model": {"type": "BPE", "vocab": {"<": 0, ">": 1, "a": 2, "b": 3, "s": 4}, "merges": []}, "decoder": {"type": "Fuse"},
                 "normalizer": {"type": "Lowercase"},
                 "added_tokens": [{"id": 5, "content": "<s>", "special": true, "normalized": false},
                                  {"id": 6, "content": "<a>", "special": true, "normalized": %1$s},
                                  {"id": 7, "content": "<a>b", "special": true, "normalized": %1$s},
                                  {"id": 8, "content": "<b>", "special": true, "normalized": %1$s},
                                  {"id": 9, "content": "<a<b>", "special": true, "normalized": %1$s}]}
                """.formatted(normalized));
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"bos_token\": \"<s>\", \"add_bos_token\": true}");
        return tokenizer(folder);
    }

    private static void assertNames(String expected, Tokenizer tokenizer, RenderedChat chat) {
        String names = IntStream.of(new ChatEncoder(tokenizer).encode(chat)).mapToObj(tokenizer::tokenText)
                .collect(Collectors.joining(" "));
        assertEquals(("<s> " + expected).strip(), names, chat::toString);
    }

    /** A prompt of parts, by turns a template's and a client's. */
    private static RenderedChat rendered(String... parts) {
        List<RenderedChat.Span> foreign = new ArrayList<>();
        int end = 0;
        for (int i = 0; i < parts.length; i++) {
            int start = end;
            end += parts[i].length();
            if (i % 2 == 1 && end > start) {
                foreign.add(new RenderedChat.Span(start, end));
            }
        }
        return new RenderedChat(String.join("", parts), foreign, 0);
    }

    private static List<String> controls(Tokenizer tokenizer, int[] tokens) {
        return IntStream.of(tokens).filter(tokenizer::isControl).mapToObj(tokenizer::tokenText).toList();
    }

    private static Tokenizer tokenizer(Path model) throws IOException {
        if (Files.isDirectory(model)) {
            return Tokenizers.of(FolderTokenizer.read(model));
        }
        try (GgufFile file = GgufFile.open(model)) {
            return GgufTokenizer.tokenizer(file.metadata());
        }
    }

    private static int[] ids(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
    }

    private static int[] concat(int[] first, int[] second) {
        return IntStream.concat(IntStream.of(first), IntStream.of(second)).toArray();
    }
}

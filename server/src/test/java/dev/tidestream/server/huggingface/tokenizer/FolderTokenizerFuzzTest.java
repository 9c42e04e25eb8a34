package dev.tidestream.server.huggingface.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.tokenizer.IncrementalDetokenizer;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.Tokenizers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Files of folders with bytes flipped, parts cut out, and values of other types: refused in words, or a tokenizer that works. More of them:
 * {@code -Dtidestream.fuzz.files=100000}.
 */
class FolderTokenizerFuzzTest {
    private static final int FILES = Integer.getInteger("tidestream.fuzz.files", 300);
    private static final String TEXT = "Hello, y'all! <s> <|endoftext|> <bos> 1234 \u0000 é🦙\n\n  end" + "\u0301".repeat(80);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> VALUES =
            List.of("null", "true", "-1", "0", "7", "1000000", "2147483648", "1e99", "1.5", "\"\"", "\"a\"",
            "\" \"", "\"\\ud800\"", "\"(a*)*b\"", "\"(a{0,1000}){0,1000}\"", "\"▁▁\"", "[]", "[[]]", "{}", "{\"type\":\"NFKC\"}",
            "{\"Regex\":\"(?=a|b)*\"}", "{\"id\":3,\"content\":\"x\"}");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama3", "qwen2", "gemma3", "bitnet", "gemma3 tokenizer.model", "gpt2 vocab.json"})
    void shouldRefuseOrWork(String model) throws IOException {
        String name = model.split(" ", 2)[0];
        copy(SharedData.path("golden/models/" + name + "/hf"));
        if (model.endsWith("tokenizer.model")) {
            Files.delete(folder.resolve("tokenizer.json"));
        } else if (model.endsWith("vocab.json")) {
            cutUp();
        }
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.sorted().toList();
        }
        int worked = 0;
        for (long seed = 0; seed < FILES; seed++) {
            Random random = new Random(seed);
            Path file = files.get(random.nextInt(files.size()));
            byte[] original = Files.readAllBytes(file);
            Files.write(file, mutated(original, file.toString().endsWith(".json"), random));
            worked += works(model + ", seed=" + seed) ? 1 : 0;
            Files.write(file, original);
        }
        assertTrue(works(model), "nothing is left over from the changes");
        assertTrue(worked > 0 && worked < FILES, "worked=" + worked);
    }

    private void copy(Path from) throws IOException {
        for (String name : List.of("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json",
                "generation_config.json", "config.json")) {
            if (Files.exists(from.resolve(name))) {
                Files.write(folder.resolve(name), Files.readAllBytes(from.resolve(name)));
            }
        }
    }

    private void cutUp() throws IOException {
        JsonNode model = JSON.readTree(folder.resolve("tokenizer.json").toFile()).get("model");
        Files.writeString(folder.resolve("vocab.json"), model.get("vocab").toString());
        StringBuilder merges = new StringBuilder("#version: 0.2\n");
        model.get("merges").forEach(merge -> merges.append(merge.get(0).asText()).append(' ').append(merge.get(1).asText()).append('\n'));
        Files.writeString(folder.resolve("merges.txt"), merges);
        Files.delete(folder.resolve("tokenizer.json"));
    }

    private static byte[] mutated(byte[] original, boolean json, Random random) throws IOException {
        if (json && random.nextInt(3) != 0) {
            JsonNode tree = JSON.readTree(original);
            for (int changes = 1 + random.nextInt(2); changes > 0; changes--) {
                change(tree, random);
            }
            return JSON.writeValueAsBytes(tree);
        }
        byte[] bytes = original.clone();
        if (random.nextBoolean()) {
            for (int flips = 1 + random.nextInt(8); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            }
            return bytes;
        }
        int from = random.nextInt(bytes.length);
        int to = Math.min(bytes.length, from + 1 + random.nextInt(40));
        byte[] shorter = Arrays.copyOf(bytes, bytes.length - (to - from));
        System.arraycopy(bytes, to, shorter, from, bytes.length - to);
        return shorter;
    }

    /** Another value at a place of any depth, another one less, or one more. */
    private static void change(JsonNode tree, Random random) throws IOException {
        JsonNode node = tree;
        while (true) {
            List<JsonNode> inner = new ArrayList<>();
            node.forEach(each -> {
                if (each.isContainerNode() && !each.isEmpty()) {
                    inner.add(each);
                }
            });
            if (inner.isEmpty() || random.nextInt(3) == 0) {
                break;
            }
            node = inner.get(random.nextInt(inner.size()));
        }
        JsonNode value = JSON.readTree(VALUES.get(random.nextInt(VALUES.size())));
        if (node instanceof ObjectNode object && !object.isEmpty()) {
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            String name = names.get(random.nextInt(names.size()));
            if (random.nextInt(4) == 0) {
                object.remove(name);
            } else {
                object.set(name, value);
            }
        } else if (node instanceof ArrayNode array && !array.isEmpty()) {
            int index = random.nextInt(array.size());
            if (random.nextBoolean()) {
                array.set(index, value);
            } else {
                array.insert(index, random.nextBoolean() ? value : array.get(random.nextInt(array.size())));
            }
        }
    }

    private boolean works(String message) throws IOException {
        Tokenizer tokenizer;
        try {
            tokenizer = Tokenizers.of(FolderTokenizer.read(folder));
        } catch (TokenizerException e) {
            assertNotNull(e.getMessage(), message);
            assertTrue(e.getMessage().length() < 2_000, () -> message + ": " + e.getMessage());
            return false;
        } catch (RuntimeException e) {
            throw new AssertionError(message, e);
        }
        IncrementalDetokenizer detokenizer = tokenizer.newDetokenizer(new int[0]);
        StringBuilder streamed = new StringBuilder();
        int[] ids = tokenizer.encode(TEXT, true, true);
        for (int id : ids) {
            assertTrue(id >= 0 && id < tokenizer.vocabularySize(), message);
            streamed.append(detokenizer.append(id));
        }
        assertEquals(tokenizer.decode(ids), streamed + detokenizer.flush(), message);
        assertTrue(tokenizer.leastTokens(TEXT) <= ids.length, message);
        return true;
    }
}

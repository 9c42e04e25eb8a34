package dev.tidestream.server.huggingface.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufMetadata;
import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.TokenizerSpec;
import dev.tidestream.model.tokenizer.TokenizerSpec.AddedToken;
import dev.tidestream.model.tokenizer.TokenizerSpec.Preparation;
import dev.tidestream.model.tokenizer.Tokenizers;
import dev.tidestream.model.tokenizer.gguf.GgufTokenizer;
import dev.tidestream.model.tokenizer.gguf.GgufTokenizerWriter;
import dev.tidestream.model.tokenizer.normalizer.Normalizer;
import dev.tidestream.model.tokenizer.pretokenizer.PreTokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

/** From a folder to GGUF's keys: what llama.cpp's converter made of the same folders, and equal tokens. */
class GgufTokenizerWriterTest {
    private static final String[] PIECES = {
        " ", "  ", "\n", "\t", "a", "the", " and", "Hello", "'s", "'LL", "é", "中", "🦙", "1", "234", "!", "<|eot_id|>", "<eos>", "\u0000", "▁"
    };

    @ParameterizedTest
    @CsvSource({
        "gpt2, gpt2-Q8_0", "gpt2_prefixed, gpt2_prefixed-F32", "llama3, llama3-Q4_0", "qwen2, qwen2-F16", "qwen3, qwen3-Q8_0",
        "gemma3, gemma3-Q8_0", "bitnet_silu, bitnet_silu-TQ1_0", "llama_bitlinear, llama_bitlinear-I2_S"
    })
    void shouldWriteWhatTheConverterWrites(String model, String file) throws IOException {
        TokenizerSpec spec = read(model);
        GgufMetadata written = GgufMetadata.of("written", GgufTokenizerWriter.metadata(spec, warning -> fail(warning)));
        try (GgufFile gguf = GgufFile.open(SharedData.path("golden/models/" + model + "/gguf/" + file + ".gguf"))) {
            GgufMetadata converted = gguf.metadata();
            String prefix = "tokenizer.ggml.";
            for (String key : List.of("model", "tokens", "merges", "bos_token_id", "eos_token_id")) {
                if (converted.contains(prefix + key)) {
                    assertEquals(text(converted, prefix + key), text(written, prefix + key), key);
                }
            }
            Tokenizer theirs = GgufTokenizer.tokenizer(converted);
            Tokenizer ours = GgufTokenizer.tokenizer(written);
            Tokenizer folder = Tokenizers.of(spec);
            for (long seed = 0; seed < 3_000; seed++) {
                String text = text(new Random(seed));
                assertArrayEquals(theirs.encode(text, true, true), ours.encode(text, true, true), "seed=" + seed);
                assertArrayEquals(folder.encode(text, true, true), ours.encode(text, true, true), "seed=" + seed);
                assertArrayEquals(folder.encodePrompt(text, false), ours.encodePrompt(text, false), "seed=" + seed);
            }
            for (int id = 0; id < ours.vocabularySize(); id++) {
                assertEquals(theirs.isControl(id), ours.isControl(id), "control token " + id);
                assertEquals(folder.isEndOfGeneration(id), ours.isEndOfGeneration(id), "end of generation " + id);
                assertArrayEquals(theirs.tokenBytes(id), ours.tokenBytes(id), "token " + id);
            }
        }
    }

    @Test
    void shouldRefuseWhatHasNoKey() throws IOException {
        TokenizerSpec spec = read("llama3");
        Preparation is = spec.preparation();
        refused(spec, new Preparation(List.of(new Normalizer.Lowercase()), is.preTokenizer(), true, Map.of()), "Lowercase");
        refused(spec, new Preparation(List.of(), PreTokenizer.NONE, true, Map.of()),
                "pre-tokenizer");
    }

    private static void refused(TokenizerSpec spec, Preparation preparation, String name) {
        TokenizerSpec changed = new TokenizerSpec(
                spec.algorithm(), spec.tokens(), spec.types(), preparation, spec.decoding(), spec.specials());
        String message = String.valueOf(assertThrows(TokenizerException.class, () -> GgufTokenizerWriter.metadata(changed, warning -> fail(warning))).getMessage());
        assertTrue(message.startsWith("a GGUF file cannot say this of a tokenizer: ") && message.contains(name), message);
    }

    private static TokenizerSpec read(String model) throws IOException {
        Path folder = SharedData.path("golden/models/" + model + "/hf");
        return FolderTokenizer.read(folder);
    }

    private static String text(GgufMetadata metadata, String key) {
        GgufValue value = metadata.value(key);
        return value instanceof GgufValue.ArrayValue array ? array.first(array.count()).toString() : value.toString();
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(20); i > 0; i--) {
            text.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return text.toString();
    }
}

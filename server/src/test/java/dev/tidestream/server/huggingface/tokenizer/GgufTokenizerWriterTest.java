package dev.tidestream.server.huggingface.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufMetadata;
import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.tokenizer.TokenType;
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
import dev.tidestream.model.tokenizer.pretokenizer.Step;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

/** From a folder to GGUF's keys: what llama.cpp's converter made of the same folders, and equal tokens. */
class GgufTokenizerWriterTest {
    private static final String[] PIECES = {
        " ", "  ", "\n", "\t", "a", "the", " and", "Hello", "'s", "'LL", "é", "中", "🦙", "1", "234", "!", "<|eot_id|>", "<eos>",
                "\u0000", "▁"
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

    /** Where a key is missing, a reader of GGUF assumes ids: 1 for BOS, 2 for EOS, 0 for unknown. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldKeepThatThereIsNoBosEosOrUnknownToken(boolean unigram) throws IOException {
        TokenizerSpec gemma = read("gemma3");
        TokenizerSpec.Algorithm algorithm = unigram ? new TokenizerSpec.Unigram(new float[gemma.tokens().size()], true) : gemma.algorithm();
        Preparation preparation = unigram
                ? new Preparation(List.of(),
                        new PreTokenizer(List.of(new Step.Metaspace("▁", Step.Prefix.EVERYWHERE, true))), true, Map.of())
                : gemma.preparation();
        TokenizerSpec without = new TokenizerSpec(
                algorithm, gemma.tokens(), gemma.types(), preparation, gemma.decoding(), TokenizerSpec.Specials.NONE);
        TokenizerSpec read = rewritten(without, new ArrayList<>());
        assertEquals(TokenizerSpec.Specials.NONE, read.specials());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldKeepWhetherByteTokensAreAFallback(boolean fallback) {
        List<String> tokens = List.of("<unk>", "a", "<0x62>");
        List<TokenType> types = List.of(TokenType.UNKNOWN, TokenType.NORMAL, TokenType.BYTE);
        TokenizerSpec spec = new TokenizerSpec(
                new TokenizerSpec.Unigram(new float[] {0, -1, -2}, fallback), tokens, types,
                new Preparation(List.of(), new PreTokenizer(List.of(new Step.Metaspace("▁", Step.Prefix.NOWHERE, true))), true, Map.of()),
                new TokenizerSpec.Decoding(TokenizerSpec.Spelling.ESCAPED_SPACES, true, false),
                new TokenizerSpec.Specials(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.of(0), OptionalInt.empty(), Set.of(),
                        List.of(), List.of()));
        List<String> warnings = new ArrayList<>();
        int[] expected = {1, fallback ? 2 : 0};
        assertArrayEquals(expected, Tokenizers.of(spec).encode("ab", false, false));
        assertArrayEquals(expected, Tokenizers.of(rewritten(spec, warnings)).encode("ab", false, false));
        assertEquals(fallback ? 0 : 1, warnings.size());
    }

    /** As of Phi-3: its control tokens take the white space behind them. */
    @Test
    void shouldKeepRulesOfAddedTokensWithAWarning() throws IOException {
        TokenizerSpec llama = read("llama3");
        Map<Integer, AddedToken> rules = new HashMap<>();
        for (int id = 0; id < llama.tokens().size(); id++) {
            if (llama.types().get(id) == TokenType.CONTROL) {
                rules.put(id, new AddedToken(id % 3 == 0, id % 3 == 1, id % 3 != 1, false));
            }
        }
        Preparation is = llama.preparation();
        TokenizerSpec spec = new TokenizerSpec(llama.algorithm(), llama.tokens(), llama.types(),
                new Preparation(is.normalizers(), is.preTokenizer(), true, rules), llama.decoding(), llama.specials());
        List<String> warnings = new ArrayList<>();
        Tokenizer ours = Tokenizers.of(rewritten(spec, warnings));
        assertEquals(3, warnings.size(), warnings::toString);
        assertTrue(warnings.getFirst().startsWith("GGUF has no key for this of the tokenizer, and programs other than this one "
                + "do without: "));
        Tokenizer folder = Tokenizers.of(spec);
        List<Integer> ids = List.copyOf(rules.keySet());
        for (long seed = 0; seed < 2_000; seed++) {
            Random random = new Random(seed);
            String text = text(random) + llama.tokens().get(ids.get(random.nextInt(ids.size()))) + text(random)
                    + llama.tokens().get(ids.get(random.nextInt(ids.size()))) + text(random);
            assertArrayEquals(folder.encode(text, true, true), ours.encode(text, true, true), "seed=" + seed);
            assertArrayEquals(folder.encodePrompt(text, false), ours.encodePrompt(text, false), "seed=" + seed);
        }
    }

    @Test
    void shouldScoreTokensWithoutAMergeLowest() {
        TokenizerSpec spec = new TokenizerSpec(
                new TokenizerSpec.BytePair(
                        TokenizerSpec.Symbols.CHARACTERS, List.of(new TokenizerSpec.Merge("b", "c")), false, false, false),
                List.of("a", "b", "c", "ab", "bc"), Collections.nCopies(5, TokenType.NORMAL),
                new Preparation(List.of(new Normalizer.ReplaceText(" ", "▁")), PreTokenizer.NONE, true, Map.of()),
                new TokenizerSpec.Decoding(TokenizerSpec.Spelling.ESCAPED_SPACES, true, false), TokenizerSpec.Specials.NONE);
        assertArrayEquals(new int[] {0, 4}, Tokenizers.of(spec).encode("abc", false, false));
        assertArrayEquals(new int[] {0, 4}, Tokenizers.of(rewritten(spec, new ArrayList<>())).encode("abc", false, false));
    }

    private static TokenizerSpec rewritten(TokenizerSpec spec, List<String> warnings) {
        return GgufTokenizer.read(GgufMetadata.of("written", GgufTokenizerWriter.metadata(spec, warnings::add)));
    }

    private static void refused(TokenizerSpec spec, Preparation preparation, String name) {
        TokenizerSpec changed = new TokenizerSpec(
                spec.algorithm(), spec.tokens(), spec.types(), preparation, spec.decoding(), spec.specials());
        String message = String.valueOf(assertThrows(TokenizerException.class,
                () -> GgufTokenizerWriter.metadata(changed, warning -> fail(warning))).getMessage());
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

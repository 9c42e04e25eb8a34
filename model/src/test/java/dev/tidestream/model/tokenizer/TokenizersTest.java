package dev.tidestream.model.tokenizer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufWriter;
import dev.tidestream.model.tokenizer.gguf.GgufTokenizer;
import dev.tidestream.model.tokenizer.pretokenizer.NamedPreTokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The factory: what it refuses, in which words, and what it takes from careless or hostile files. */
class TokenizersTest {
    private static final String PREFIX = "tokenizer.ggml.";

    @Test
    void shouldNameKeyAndValueOfWhatItRefuses() {
        assertRefused("tokenizer.ggml.model: unsupported tokenizer: 'bert', supported: gpt2, llama, t5",
                file -> file.string(PREFIX + "model", "bert").strings(PREFIX + "tokens", List.of("a")));
        assertRefused("tokenizer.ggml.pre: unknown pre-tokenizer: 'klingon', known: " + NamedPreTokenizer.allNames(),
                file -> bytePair(file, List.of("a"), List.of()).string(PREFIX + "pre", "klingon"));
        assertRefused("tokenizer.ggml.tokens: the vocabulary is empty", file -> bytePair(file, List.of(), List.of()));
        assertRefused("tokenizer.ggml.bos_token_id: not in the vocabulary: id=2, tokens=2",
                file -> bytePair(file, List.of("a", "b"), List.of()).u32(PREFIX + "bos_token_id", 2));
        assertRefused("tokenizer.ggml.eot_token_id: not in the vocabulary: id=4294967294, tokens=1",
                file -> bytePair(file, List.of("a"), List.of()).u32(PREFIX + "eot_token_id", 0xffff_fffeL));
        assertRefused("tokenizer.ggml.add_bos_token: true, but tokenizer.ggml.bos_token_id is missing",
                file -> bytePair(file, List.of("a"), List.of()).bool(PREFIX + "add_bos_token", true));
        assertRefused("tokenizer.ggml.token_type: one per token expected: count=1, tokens=2",
                file -> bytePair(file, List.of("a", "b"), List.of()).ints(PREFIX + "token_type", 1));
        assertRefused("tokenizer.ggml.merges[1]: not a token of the vocabulary: 'bb', merge='b b'",
                file -> bytePair(file, List.of("a", "b", "ab"), List.of("a b", "b b")));
        assertRefused("tokenizer.ggml.merges[0]: not a token of the vocabulary: 'x', merge='x b'",
                file -> bytePair(file, List.of("a", "b", "ab"), List.of("x b")));
        assertRefused("tokenizer.ggml.merges[0]: expected 'left right': 'ab'",
                file -> bytePair(file, List.of("a", "b", "ab"), List.of("ab")));
        assertRefused("tokenizer.ggml.scores: one per token expected: count=1, tokens=2",
                file -> sentencePiece(file, List.of("a", "b"), 0f));
        assertRefused("tokenizer.ggml.scores[1]: not a number", file -> sentencePiece(file, List.of("a", "b"), 0f, Float.NaN));
        assertRefused("tokenizer.ggml.tokens[1]: a byte token must be <0x00> to <0xFF>: '<0xG0>'",
                file -> sentencePiece(file, List.of("a", "<0xG0>"), 0f, 0f).ints(PREFIX + "token_type", 1, 6));
    }

    @ParameterizedTest
    @ValueSource(strings = {"model", "tokens", "merges"})
    void shouldNameMissingKeys(String key) {
        GgufWriter file = new GgufWriter();
        if (!key.equals("model")) {
            file.string(PREFIX + "model", "gpt2");
        }
        if (!key.equals("tokens")) {
            file.strings(PREFIX + "tokens", List.of("a"));
        }
        GgufException refusal = assertThrows(GgufException.class, () -> tokenizer(file));
        assertTrue(refusal.getMessage().contains("'tokenizer.ggml." + key + "' is missing"), refusal.getMessage());
    }

    @Test
    void shouldLeaveOutBytesWithoutToken() {
        Tokenizer tokenizer = tokenizer(bytePair(new GgufWriter(), List.of("a", "b", "ab"), List.of("a b")));
        assertArrayEquals(new int[] {2, 0, 1}, tokenizer.encode("abé a\u0000b", true, true));
        assertEquals("abab", tokenizer.decode(new int[] {2, 0, 1}));
    }

    @Test
    void shouldBearEmptyAndDuplicateTokens() {
        Tokenizer tokenizer = tokenizer(bytePair(new GgufWriter(), List.of("", "a", "b", "a", "ab", "", "ab"), List.of("a b"))
                .ints(PREFIX + "token_type", 4, 1, 1, 1, 1, 3, 1));
        assertArrayEquals(new int[] {4, 1}, tokenizer.encode("aba", false, true), "the lowest id of a text");
        assertEquals("aabb", tokenizer.decode(new int[] {0, 3, 6, 5, 2}));
        Tokenizer pieces = tokenizer(sentencePiece(new GgufWriter(), List.of("", "a", "a", "", "aa"), 0f, 1f, 2f, 3f, 4f)
                .ints(PREFIX + "token_type", 3, 1, 1, 4, 1));
        assertArrayEquals(new int[] {1, 0, 4, 1}, pieces.encode("aaa", true, true), "BOS 1; the prefix space is unknown");
    }

    @Test
    void shouldNeverSpellControlTokensInPlainText() {
        List<String> tokens = List.of("<unk>", "<s>", "</s>", "<", "s", ">", "s>", "/");
        Tokenizer tokenizer = tokenizer(sentencePiece(new GgufWriter(), tokens, 0f, 9f, 9f, 0f, 0f, 0f, 1f, 0f)
                .ints(PREFIX + "token_type", 2, 3, 3, 1, 1, 1, 1, 1).bool(PREFIX + "add_space_prefix", false));
        assertArrayEquals(new int[] {3, 6, 3, 7, 6}, tokenizer.encode("<s></s>", false, false));
        assertArrayEquals(new int[] {1, 1, 2}, tokenizer.encode("<s></s>", true, true));
        assertEquals("", tokenizer.decode(new int[] {0, 1, 2}));
        assertTrue(tokenizer.isEndOfGeneration(2));
        assertFalse(tokenizer.isEndOfGeneration(1));
        assertFalse(tokenizer.isEndOfGeneration(-1));
    }

    @Test
    void shouldEncodeAPromptWithOneBosAndNoEos() {
        List<String> tokens = List.of("<unk>", "<s>", "</s>", "a", "<", "s", ">", "<|im_start|>");
        Tokenizer tokenizer = tokenizer(sentencePiece(new GgufWriter(), tokens, 0f, 0f, 0f, 0f, 0f, 0f, 0f, 0f)
                .ints(PREFIX + "token_type", 2, 3, 3, 1, 1, 1, 1, 3).bool(PREFIX + "add_space_prefix", false)
                .bool(PREFIX + "add_eos_token", true));
        assertArrayEquals(new int[] {1, 3, 2}, tokenizer.encode("a", true, false));
        assertArrayEquals(new int[] {1, 3}, tokenizer.encodePrompt("a", false));
        assertArrayEquals(new int[] {1}, tokenizer.encodePrompt("", true));
        assertArrayEquals(new int[] {1, 4, 5, 6, 3}, tokenizer.encodePrompt("<s>a", false), "a user's text is text");
        assertArrayEquals(new int[] {1, 3}, tokenizer.encodePrompt("<s>a", true), "BOS is not doubled");
        assertArrayEquals(new int[] {1, 3, 1, 2}, tokenizer.encodePrompt("a<s></s>", true), "what was asked for stays");
        Tokenizer noBos = tokenizer(sentencePiece(new GgufWriter(), tokens, 0f, 0f, 0f, 0f, 0f, 0f, 0f, 0f)
                .ints(PREFIX + "token_type", 2, 3, 3, 1, 1, 1, 1, 3).bool(PREFIX + "add_bos_token", false));
        assertArrayEquals(new int[] {1, 7}, noBos.encodePrompt("<s><|im_start|>", true));
    }

    @Test
    void shouldFindNamesOfControlTokens() {
        Tokenizer tokenizer = tokenizer(bytePair(new GgufWriter(), List.of("a", "<x>", "<y>", "<z>", ""), List.of())
                .ints(PREFIX + "token_type", 1, 3, 4, 2, 3));
        assertEquals(List.of(new Tokenizer.ControlToken(1, 4, 1), new Tokenizer.ControlToken(7, 10, 3)),
                tokenizer.controlTokens("a<x><y><z>"), "a user-defined token has a text");
        assertEquals(List.of(), tokenizer.controlTokens("<x"));
        assertEquals("[1, 3, 4]", Arrays.toString(IntStream.range(-1, 6).filter(tokenizer::isControl).toArray()));
    }

    @Test
    void shouldTakeUnusedTokensOfThatNameAtTheEndForPadding() {
        List<String> tokens = List.of("<unk>", "<s>", "</s>", "a", "[x]", "b", "[PAD6]", "[PAD7]");
        Tokenizer padded = tokenizer(sentencePiece(new GgufWriter(), tokens, 0f, 0f, 0f, 0f, 0f, 0f, 0f, 0f)
                .ints(PREFIX + "token_type", 2, 3, 3, 1, 5, 1, 5, 5).bool(PREFIX + "add_space_prefix", false));
        assertEquals(8, padded.vocabularySize());
        assertEquals(6, padded.usedTokens());
        assertArrayEquals(new int[] {3, 0, 5}, padded.encode("a[PAD7]b", false, true));
        Tokenizer unused = tokenizer(sentencePiece(new GgufWriter(), List.of("a", "b"), 0f, 0f)
                .ints(PREFIX + "token_type", 5, 5).bool(PREFIX + "add_space_prefix", false));
        assertEquals(2, unused.usedTokens());
        for (String name : List.of("[x]", "[PAD]", "[PAD1", "PAD1]", "[PADx]", "<unused1>")) {
            assertEquals(3, tokenizer(sentencePiece(new GgufWriter(), List.of("a", "b", name), 0f, 0f, 0f)
                    .ints(PREFIX + "token_type", 1, 1, 5).bool(PREFIX + "add_space_prefix", false)).usedTokens(), name);
        }
    }

    @Test
    void shouldCutTheLongestSpecialTokensFirst() {
        List<String> tokens = List.of("a", "b", "c", "d", "abc", "bcd", "bcda", "<a>", "c");
        Tokenizer tokenizer = tokenizer(bytePair(new GgufWriter(), tokens, List.of())
                .ints(PREFIX + "token_type", 1, 1, 1, 1, 4, 4, 3, 3, 1));
        assertArrayEquals(new int[] {4, 3, 0}, tokenizer.encode("abcda", false, false), "abc before bcd: same length, lower id");
        assertArrayEquals(new int[] {0, 6}, tokenizer.encode("abcda", false, true), "bcda is the longest, though abc begins first");
        assertArrayEquals(new int[] {4, 4, 4, 3}, tokenizer.encode("abcabcabcd", false, false));
        assertArrayEquals(new int[] {7, 7, 0}, tokenizer.encode("<a><a><a", false, true));
        assertArrayEquals(new int[] {0, 0, 0}, tokenizer.encode("<a><a><a", false, false));
    }

    @Test
    void shouldPrefixASpaceBehindSpecialTokensOnly() {
        List<String> tokens = List.of("<unk>", "<s>", "</s>", "▁", "a", "▁a", "[x]");
        Tokenizer tokenizer = tokenizer(sentencePiece(new GgufWriter(), tokens, 0f, 0f, 0f, 0f, 0f, 1f, 0f)
                .ints(PREFIX + "token_type", 2, 3, 3, 1, 1, 1, 4));
        assertArrayEquals(new int[] {1, 5, 4, 5}, tokenizer.encode("aa a", true, false));
        assertArrayEquals(new int[] {1, 3, 5}, tokenizer.encode(" a", true, false));
        assertArrayEquals(new int[] {5, 2, 5, 6, 5}, tokenizer.encode("a</s>a[x]a", false, true));
        assertArrayEquals(new int[] {}, tokenizer.encode("", false, false));
        assertArrayEquals(new int[] {1}, tokenizer.encode("", true, false));
        assertEquals("a a", tokenizer.decode(new int[] {1, 5, 5}));
        assertEquals(" a a", streamed(tokenizer.newDetokenizer(), 5, 5));
        assertEquals(" a", streamed(tokenizer.newDetokenizer(new int[] {1, 5}), 5));
        assertEquals("a", streamed(tokenizer.newDetokenizer(new int[] {1}), 5));
        assertEquals("[x] a", tokenizer.decode(new int[] {6, 5}), "only a token of the text has the prefix");
    }

    @Test
    void shouldTakeBosAndEndsFromLlama3Defaults() {
        List<String> tokens = List.of("a", "b", "ab", "<|begin|>", "<|eot_id|>", "x", "<|end|>");
        Tokenizer tokenizer = tokenizer(bytePair(new GgufWriter(), tokens, List.of()).string(PREFIX + "pre", "llama-bpe")
                .u32(PREFIX + "bos_token_id", 3).u32(PREFIX + "eos_token_id", 5).bool(PREFIX + "add_eos_token", true));
        assertArrayEquals(new int[] {3, 2, 5}, tokenizer.encode("ab", true, false), "a whole word needs no merge");
        assertEquals("[4, 5, 6]", Arrays.toString(IntStream.range(0, 7).filter(tokenizer::isEndOfGeneration).toArray()));
        Tokenizer none = tokenizer(bytePair(new GgufWriter(), tokens, List.of()).u32(PREFIX + "bos_token_id", 0xffff_ffffL));
        assertTrue(none.bosToken().isEmpty());
        assertArrayEquals(new int[] {0, 1}, none.encode("ab", true, false));
    }

    @Test
    void shouldEncodeLongRunsOfOneCharacter() {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>", "▁", "a", "\n", "▁▁", "aa", "aaaa"));
        List<Integer> types = new ArrayList<>(List.of(2, 3, 3, 1, 1, 1, 1, 1, 1));
        for (int i = 2; i < 30; i++) {
            tokens.add("\n".repeat(i));
            types.add(4);
        }
        float[] scores = new float[tokens.size()];
        Tokenizer pieces = tokenizer(sentencePiece(new GgufWriter(), tokens, scores)
                .ints(PREFIX + "token_type", types.stream().mapToInt(i -> i).toArray()));
        Tokenizer pairs = tokenizer(bytePair(
                new GgufWriter(), List.of("a", "Ġ", "Ċ", "aa", "ĠĠ", "aaaa"), List.of("a a", "Ġ Ġ", "aa aa")));
        for (String unit : List.of("a", " ", "\n")) {
            String text = unit.repeat(1_000_000);
            assertEquals(text, pieces.decode(pieces.encode(text, false, true)));
            assertEquals(text, pairs.decode(pairs.encode(text, false, true)));
        }
    }

    @Test
    void shouldTellTokensApartWhoseTextsHaveOneHashInJava() {
        List<String> tokens = new ArrayList<>(List.of(""));
        for (int i = 0; i < 14; i++) {
            tokens = tokens.stream().flatMap(text -> Stream.of(text + "Aa", text + "BB")).collect(Collectors.toCollection(ArrayList::new));
        }
        assertEquals(1, tokens.stream().mapToInt(String::hashCode).distinct().count());
        Tokenizer tokenizer = tokenizer(bytePair(new GgufWriter(), tokens, List.of()).string(PREFIX + "pre", "llama-bpe"));
        for (int id = 0; id < tokens.size(); id++) {
            assertArrayEquals(new int[] {id}, tokenizer.encode(tokens.get(id), false, false));
            assertEquals(tokens.get(id), tokenizer.decode(new int[] {id}));
        }
    }

    private static GgufWriter bytePair(GgufWriter file, List<String> tokens, List<String> merges) {
        return file.string(PREFIX + "model", "gpt2").strings(PREFIX + "tokens", tokens).strings(PREFIX + "merges", merges);
    }

    private static GgufWriter sentencePiece(GgufWriter file, List<String> tokens, float... scores) {
        return file.string(PREFIX + "model", "llama").strings(PREFIX + "tokens", tokens).floats(PREFIX + "scores", scores);
    }

    private static void assertRefused(String message, UnaryOperator<GgufWriter> contents) {
        GgufWriter file = contents.apply(new GgufWriter());
        assertEquals(message, assertThrows(TokenizerException.class, () -> tokenizer(file)).getMessage());
    }

    private static Tokenizer tokenizer(GgufWriter writer) {
        try (Arena arena = Arena.ofConfined()) {
            byte[] bytes = writer.toByteArray();
            MemorySegment image = arena.allocate(bytes.length, 8).copyFrom(MemorySegment.ofArray(bytes));
            try (GgufFile file = GgufFile.of(image, "test.gguf")) {
                return GgufTokenizer.tokenizer(file.metadata());
            }
        }
    }

    private static String streamed(IncrementalDetokenizer detokenizer, int... ids) {
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(detokenizer.append(id));
        }
        assertEquals("", detokenizer.flush());
        return text.toString();
    }

    /** Rows of spaces of every length are tokens of many models: of a long row the longest are cut out, then what is left. */
    @Test
    void shouldCutALongRowIntoTheLongestTokens() {
        int longest = 31;
        List<String> tokens = new ArrayList<>(List.of("x"));
        IntStream.rangeClosed(1, longest).forEach(length -> tokens.add("#".repeat(length)));
        int[] types = IntStream.range(0, tokens.size()).map(id -> id == 0 ? 1 : 4).toArray(); // 4: user-defined
        Tokenizer tokenizer = tokenizer(bytePair(new GgufWriter(), tokens, List.of()).ints(PREFIX + "token_type", types));
        int rows = 20_000;
        int[] ids = tokenizer.encode("#".repeat(rows * longest + 7) + "x" + "#".repeat(3), false, false);
        assertEquals(rows + 3, ids.length);
        assertTrue(Arrays.stream(ids, 0, rows).allMatch(id -> id == longest));
        assertArrayEquals(new int[] {7, 0, 3}, Arrays.copyOfRange(ids, rows, rows + 3));
    }
}

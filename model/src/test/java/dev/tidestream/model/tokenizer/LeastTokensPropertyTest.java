package dev.tidestream.model.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.tokenizer.gguf.GgufTokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The bound is never above what the tokenizer makes of a text, whatever vocabulary and text, and of use where it can be. */
class LeastTokensPropertyTest {
    /** Of each length in UTF-8, spaces of both kinds, an unpaired surrogate, parts of special tokens. */
    private static final List<String> PIECES = List.of(
            "a", "b", "ab", " ", "  ", "▁", "é", "é", "模", "型", "👍", "\ud83d", "\n", "<s>", "<|x|>", "<", "|", ">", "ba", "aaaa",
            "Ġab", "Ġ", "\u0000");

    @Test
    void shouldNeverExceedWhatBytePairsAre() {
        for (long seed = 0; seed < 600; seed++) {
            Random random = new Random(seed * 0x9E37_79B9_7F4A_7C15L);
            List<String> tokens = new ArrayList<>();
            boolean allBytes = random.nextBoolean();
            for (int b = 0; b < 256; b++) {
                if (allBytes || random.nextInt(4) > 0) {
                    tokens.add(String.valueOf(ByteAlphabet.charOf((byte) b)));
                }
            }
            List<TokenizerSpec.Merge> merges = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                String left = tokens.get(random.nextInt(tokens.size()));
                String right = tokens.get(random.nextInt(tokens.size()));
                if (left.length() + right.length() < 9) {
                    merges.add(new TokenizerSpec.Merge(left, right));
                    tokens.add(left + right);
                }
            }
            TokenType[] types = types(tokens.size());
            special(tokens, types, random);
            types = Arrays.copyOf(types, tokens.size());
            fillSpecial(types, tokens, random);
            String pre = random.nextBoolean() ? "gpt-2" : random.nextBoolean() ? "llama3" : "qwen2";
            TokenizerSpec.Algorithm algorithm =
                    new TokenizerSpec.BytePair(TokenizerSpec.Symbols.BYTES, merges, pre.equals("llama3"), false, false);
            check(Specs.of(algorithm, tokens, Arrays.asList(types), OptionalInt.empty(), pre, false), random, "seed=" + seed);
        }
    }

    @Test
    void shouldNeverExceedWhatSentencePiecesAre() {
        for (long seed = 0; seed < 600; seed++) {
            Random random = new Random(seed * 0x9E37_79B9_7F4A_7C15L);
            Set<String> distinct = new LinkedHashSet<>(List.of("<unk>", "a", "b"));
            if (random.nextBoolean()) {
                distinct.add("▁");
            }
            for (int i = 0; i < 20; i++) {
                distinct.add(text(random, 3).replace(' ', '▁'));
            }
            distinct.remove("");
            List<String> tokens = new ArrayList<>(distinct);
            TokenType[] types = types(tokens.size());
            types[0] = TokenType.UNKNOWN;
            int fallback = random.nextInt(3); // no byte tokens, some, all
            for (int b = 0; b < 256 && fallback > 0; b++) {
                if (fallback == 2 || random.nextInt(3) > 0) {
                    tokens.add(String.format(Locale.ROOT, "<0x%02X>", b));
                }
            }
            int plain = types.length;
            types = Arrays.copyOf(types, tokens.size());
            Arrays.fill(types, plain, types.length, TokenType.BYTE);
            int known = types.length;
            special(tokens, types, random);
            types = Arrays.copyOf(types, tokens.size());
            for (int id = known; id < types.length; id++) {
                types[id] = random.nextBoolean() ? TokenType.CONTROL : TokenType.USER_DEFINED;
            }
            float[] scores = new float[tokens.size()];
            for (int id = 0; id < scores.length; id++) {
                scores[id] = random.nextInt(5);
            }
            check(Specs.of(new TokenizerSpec.SentencePiece(scores), tokens, Arrays.asList(types),
                    random.nextBoolean() ? OptionalInt.of(0) : OptionalInt.empty(), "", random.nextBoolean()), random, "seed=" + seed);
        }
    }

    private static TokenType[] types(int count) {
        TokenType[] types = new TokenType[count];
        Arrays.fill(types, TokenType.NORMAL);
        return types;
    }

    private static void special(List<String> tokens, TokenType[] types, Random random) {
        for (String special : List.of("<s>", "<|x|>", "a模b", "Ġab", "▁▁▁▁ab")) {
            if (random.nextBoolean() && !tokens.contains(special)) {
                tokens.add(special);
            }
        }
        assertTrue(tokens.size() >= types.length);
    }

    private static void fillSpecial(TokenType[] types, List<String> tokens, Random random) {
        for (int id = 0; id < types.length; id++) {
            boolean merged = tokens.indexOf(tokens.get(id)) == id && tokens.get(id).length() > 1 && random.nextInt(10) == 0;
            if (types[id] == null) {
                types[id] = random.nextBoolean() ? TokenType.CONTROL : TokenType.USER_DEFINED;
            } else if (merged) {
                types[id] = TokenType.USER_DEFINED; // can be merged as well as written
            }
        }
    }

    private static void check(TokenizerSpec spec, Random random, String message) {
        Tokenizer tokenizer = new ModelTokenizer(spec);
        for (int i = 0; i < 12; i++) {
            String text = i < 3 ? text(random, 60) : text(random, 2).repeat(40); // the latter may be few tokens, or none
            long least = tokenizer.leastTokens(text);
            assertTrue(least <= tokenizer.encode(text, false, true).length, () -> message + ", text=" + text);
            assertTrue(least <= tokenizer.encode(text, false, false).length, () -> message + ", text=" + text);
        }
    }

    private static String text(Random random, int pieces) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(pieces); i >= 0; i--) {
            text.append(PIECES.get(random.nextInt(PIECES.size())));
        }
        return text.toString();
    }

    /** Otherwise 0 would pass, too. */
    @ParameterizedTest
    @ValueSource(strings = {"cases/rope_none.gguf", "models/stories260K/stories260K.gguf"})
    void shouldBeWithinAFactorOfTheTruthForOrdinaryText(String model) {
        try (GgufFile file = GgufFile.open(SharedData.path(model))) {
            Tokenizer tokenizer = GgufTokenizer.tokenizer(file.metadata());
            String text = "Once upon a time there was a café, and 模型 👍. ".repeat(200);
            long least = tokenizer.leastTokens(text);
            int tokens = tokenizer.encode(text, false, true).length;
            assertTrue(least <= tokens && least * 8 >= tokens, "least=%d, tokens=%d".formatted(least, tokens));
            assertEquals(0, tokenizer.leastTokens(""));
            assertEquals(1, tokenizer.leastTokens("a"));
        }
    }
}

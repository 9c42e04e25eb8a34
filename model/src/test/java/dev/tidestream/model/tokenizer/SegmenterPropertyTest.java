package dev.tidestream.model.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Both kinds of merging against the definition: look at every pair, join the best, begin again. */
class SegmenterPropertyTest {

    @Test
    void shouldMergeBytePairsLikeTheDefinition() {
        for (long seed = 0; seed < 3_000; seed++) {
            Random random = new Random(seed);
            List<String> tokens = new ArrayList<>(List.of("a", "b", "c"));
            List<String> merges = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                String left = tokens.get(random.nextInt(tokens.size()));
                String right = tokens.get(random.nextInt(tokens.size()));
                if (!merges.contains(left + " " + right) && left.length() + right.length() < 8) {
                    merges.add(left + " " + right);
                    if (!tokens.contains(left + right)) {
                        tokens.add(left + right);
                    }
                }
            }
            List<TokenizerSpec.Merge> pairs = merges.stream().map(merge -> merge.split(" ", -1))
                    .map(pair -> new TokenizerSpec.Merge(pair[0], pair[1])).toList();
            TokenizerSpec.BytePair bytes = new TokenizerSpec.BytePair(TokenizerSpec.Symbols.BYTES, pairs, false, false, false);
            Vocabulary vocabulary = new Vocabulary(spec(bytes, tokens));
            String text = randomText(random, "abc", 40);
            List<String> expected = naive(text, (left, right) -> {
                int rank = merges.indexOf(left + " " + right);
                return rank < 0 ? Double.NaN : -rank;
            });
            if (text.isEmpty()) {
                continue; // no word
            }
            assertEquals(expected, pieces(new BytePairSegmenter(vocabulary, pairs, false), text, vocabulary), "seed=" + seed);
            TokenizerSpec.BytePair characters = new TokenizerSpec.BytePair(TokenizerSpec.Symbols.CHARACTERS, pairs, false, false, false);
            assertEquals(expected, pieces(new CharacterPairSegmenter(vocabulary, characters, OptionalInt.empty()), text, vocabulary),
                    "seed=" + seed);
        }
    }

    @Test
    void shouldMergeSentencePiecesLikeTheDefinition() {
        for (long seed = 0; seed < 3_000; seed++) {
            Random random = new Random(seed);
            Set<String> distinct = new LinkedHashSet<>(List.of("a", "b", "▁"));
            for (int i = 0; i < 15; i++) {
                distinct.add(randomText(random, "ab▁", 4));
            }
            distinct.remove("");
            List<String> tokens = List.copyOf(distinct);
            float[] scores = new float[tokens.size()];
            IntStream.range(0, scores.length).forEach(id -> scores[id] = random.nextInt(6) - 3f); // many ties
            Vocabulary vocabulary = new Vocabulary(spec(new TokenizerSpec.SentencePiece(scores), tokens));
            String text = randomText(random, "ab ", 40) + "a";
            List<String> expected = naive("▁" + text.replace(' ', '▁'), (left, right) -> {
                int id = tokens.indexOf(left + right);
                return id < 0 ? Double.NaN : scores[id];
            });
            Segmenter segmenter = new SentencePieceSegmenter(vocabulary, scores, OptionalInt.empty());
            assertEquals(expected, pieces(segmenter, "▁" + text.replace(' ', '▁'), vocabulary), "seed=" + seed);
        }
    }

    @Test
    void shouldFallBackToBytesThenToUnknown() {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "a"));
        for (int b = 0; b < 256; b++) {
            tokens.add(b == 0xA6 ? "[no such byte]" : String.format(Locale.ROOT, "<0x%02X>", b));
        }
        TokenType[] types = new TokenType[tokens.size()];
        Arrays.setAll(types, id -> id == 0 ? TokenType.UNKNOWN
                : Vocabulary.byteOf(tokens.get(id)) >= 0 ? TokenType.BYTE : TokenType.NORMAL);
        Tokenizer tokenizer = new ModelTokenizer(Specs.of(
                new TokenizerSpec.SentencePiece(new float[tokens.size()]), tokens, Arrays.asList(types), OptionalInt.of(0)));
        assertEquals("[1, 197, 171, 1]", Arrays.toString(tokenizer.encode("aéa", false, false)));
        assertEquals("aéa", tokenizer.decode(tokenizer.encode("aéa", false, false)));
        assertEquals("[0, 1, 0]", Arrays.toString(tokenizer.encode("🦙🦙a🦙", false, false)), "F0 9F A6 99 lacks A6");
    }

    private interface Score {
        /** Higher joins first; NaN: no token. */
        double of(String left, String right);
    }

    private static List<String> naive(String text, Score score) {
        List<String> symbols = text.codePoints().mapToObj(Character::toString).collect(Collectors.toCollection(ArrayList::new));
        while (true) {
            int best = -1;
            double bestScore = 0;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                double found = score.of(symbols.get(i), symbols.get(i + 1));
                if (!Double.isNaN(found) && (best < 0 || found > bestScore)) {
                    best = i;
                    bestScore = found;
                }
            }
            if (best < 0) {
                return symbols;
            }
            symbols.set(best, symbols.get(best) + symbols.remove(best + 1));
        }
    }

    private static List<String> pieces(Segmenter segmenter, String text, Vocabulary vocabulary) {
        List<String> pieces = new ArrayList<>();
        segmenter.encode(text, id -> pieces.add(vocabulary.text(id)));
        return pieces;
    }

    private static TokenizerSpec spec(TokenizerSpec.Algorithm algorithm, List<String> tokens) {
        return Specs.of(algorithm, tokens, Collections.nCopies(tokens.size(), TokenType.NORMAL), OptionalInt.empty());
    }

    private static String randomText(Random random, String alphabet, int most) {
        return random.ints(random.nextInt(most + 1), 0, alphabet.length())
                .mapToObj(i -> alphabet.substring(i, i + 1))
                .collect(Collectors.joining());
    }
}

package dev.tidestream.model.tokenizer.pretokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.tokenizer.regex.Regex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The scanners against the JDK's regular expressions, on short random texts of difficult characters. */
class WordScannerPropertyTest {
    private static final String[] ALPHABET = {
        " ", " ", " ", "\n", "\r", "\t", "\u000B", "\u0085", "\u00A0", "\u3000", "\u2028", "\u200B", "\u001C", "a", "b", "S", "s",
        "t", "T", "r", "e", "E", "v", "m", "l", "L", "d", "'", "'", "ſ", "é", "e\u0301", "ß", "中", "𝒳", "ǅ", "ʰ", "1", "2", "3",
        "٣", "Ⅷ", "½", "𝟘", "!", "?", ".", "_", "—", "«", "$", "+", "~", "^", "`", "|", "€", "🦙", "\u200D", "\uFE0F", "\u0378",
        "\uE000", "\uFFFD", "\u0000", "\u0007"
    };

    static List<String> expressions() {
        return List.copyOf(WordScanner.RULES.keySet());
    }

    @ParameterizedTest
    @MethodSource("expressions")
    void shouldCutLikeRegularExpressions(String expression) {
        WordScanner.Rule rule = Objects.requireNonNull(WordScanner.rule(expression));
        Pattern oracle = Pattern.compile(expression.replace("\\p{P}", "\\p{IsPunctuation}"),
                Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNICODE_CASE);
        Regex regex = Regex.compile(expression);
        for (long seed = 0; seed < 30_000; seed++) {
            String text = randomText(new Random(seed));
            List<String> expected = cut(text, oracle);
            assertEquals(expected, scanned(rule, text), "seed=" + seed);
            assertEquals(expected, cut(text, regex), "seed=" + seed);
        }
    }

    @Test
    void shouldClassifyEveryCodePointLikeRegularExpressions() {
        Pattern[] classes = new Pattern[CharKind.OTHER + 1];
        classes[CharKind.LETTER] = Pattern.compile("\\p{L}");
        classes[CharKind.NUMBER] = Pattern.compile("\\p{N}");
        classes[CharKind.SPACE] = Pattern.compile("\\s", Pattern.UNICODE_CHARACTER_CLASS);
        classes[CharKind.PUNCTUATION] = Pattern.compile("\\p{P}");
        classes[CharKind.OTHER] = Pattern.compile("[^\\p{L}\\p{N}\\p{P}\\s]", Pattern.UNICODE_CHARACTER_CLASS);
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            String text = Character.toString(c);
            assertTrue(classes[CharKind.of(text)[0]].matcher(text).matches(), text.codePointAt(0) + " has kind " + CharKind.of(text)[0]);
        }
    }

    /** Matches are words, and so is what stands between them. */
    private static List<String> cut(String text, Pattern pattern) {
        List<String> words = new ArrayList<>();
        Matcher matcher = pattern.matcher(text);
        int start = 0;
        while (matcher.find()) {
            addIfNotEmpty(words, text.substring(start, matcher.start()));
            addIfNotEmpty(words, matcher.group());
            start = matcher.end();
        }
        addIfNotEmpty(words, text.substring(start));
        return words;
    }

    private static List<String> cut(String text, Regex regex) {
        List<String> words = new ArrayList<>();
        int[] from = {0};
        regex.findAll(text, 0, text.length(), (start, end) -> {
            addIfNotEmpty(words, text.substring(from[0], start));
            addIfNotEmpty(words, text.substring(start, end));
            from[0] = end;
        });
        addIfNotEmpty(words, text.substring(from[0]));
        return words;
    }

    private static void addIfNotEmpty(List<String> words, String word) {
        if (!word.isEmpty()) {
            words.add(word);
        }
    }

    private static List<String> scanned(WordScanner.Rule rule, String text) {
        Words words = new Words(text);
        new WordScanner(text, CharKind.of(text), words).cut(rule, 0, text.length());
        List<String> result = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < words.count(); i++) {
            assertEquals(start, words.start(i));
            start = words.end(i);
            result.add(words.word(i));
        }
        assertEquals(text.length(), start);
        return result;
    }

    private static String randomText(Random random) {
        StringBuilder text = new StringBuilder();
        int length = random.nextInt(14);
        int variety = 1 + random.nextInt(ALPHABET.length);
        for (int i = 0; i < length; i++) {
            text.append(ALPHABET[random.nextInt(variety)]);
        }
        return text.toString();
    }
}

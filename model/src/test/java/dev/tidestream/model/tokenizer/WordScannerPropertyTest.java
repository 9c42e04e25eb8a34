package dev.tidestream.model.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The scanners against the JDK's regular expressions, on short random texts of difficult characters. */
class WordScannerPropertyTest {
    private static final String GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    private static final String LLAMA3 = "'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
            + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private static final String[] ALPHABET = {
        " ", " ", " ", "\n", "\r", "\t", "\u000B", "\u0085", "\u00A0", "\u3000", "\u2028", "\u200B", "\u001C", "a", "b", "S", "s",
        "t", "T", "r", "e", "E", "v", "m", "l", "L", "d", "'", "'", "ſ", "é", "e\u0301", "ß", "中", "𝒳", "ǅ", "ʰ", "1", "2", "3",
        "٣", "Ⅷ", "½", "𝟘", "!", "?", ".", "_", "—", "«", "$", "+", "~", "^", "`", "|", "€", "🦙", "\u200D", "\uFE0F", "\u0378",
        "\uE000", "\uFFFD", "\u0000", "\u0007"
    };

    @ParameterizedTest
    @EnumSource
    void shouldCutLikeRegularExpressions(PreTokenizer preTokenizer) {
        List<Pattern> oracle = patterns(preTokenizer);
        for (long seed = 0; seed < 30_000; seed++) {
            String text = randomText(new Random(seed));
            assertEquals(cut(text, oracle), words(preTokenizer, text), "seed=" + seed);
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

    private static List<Pattern> patterns(PreTokenizer preTokenizer) {
        List<String> expressions = switch (preTokenizer) {
            case GPT2 -> List.of(GPT2);
            case LLAMA3 -> List.of(LLAMA3);
            case QWEN2 -> List.of(LLAMA3.replace("{1,3}", ""));
            case SMOLLM -> List.of("\\p{N}", GPT2);
            case DEFAULT -> List.of("[\\p{IsPunctuation}$+<=>^~|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]");
        };
        return expressions.stream().map(each -> Pattern.compile(each, Pattern.UNICODE_CHARACTER_CLASS)).toList();
    }

    /** Matches are words, and so is what stands between them; each pattern cuts the words of the one before. */
    private static List<String> cut(String text, List<Pattern> patterns) {
        List<String> words = text.isEmpty() ? List.of() : List.of(text);
        for (Pattern pattern : patterns) {
            List<String> finer = new ArrayList<>();
            for (String word : words) {
                Matcher matcher = pattern.matcher(word);
                int start = 0;
                while (matcher.find()) {
                    addIfNotEmpty(finer, word.substring(start, matcher.start()));
                    addIfNotEmpty(finer, matcher.group());
                    start = matcher.end();
                }
                addIfNotEmpty(finer, word.substring(start));
            }
            words = finer;
        }
        return words;
    }

    private static void addIfNotEmpty(List<String> words, String word) {
        if (!word.isEmpty()) {
            words.add(word);
        }
    }

    private static List<String> words(PreTokenizer preTokenizer, String text) {
        List<String> words = new ArrayList<>();
        int start = 0;
        for (int end : preTokenizer.wordEnds(text)) {
            words.add(text.substring(start, end));
            start = end;
        }
        assertEquals(text.length(), start);
        return words;
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

package dev.tidestream.model.tokenizer.regex;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Random expressions against the JDK's backtracking matcher (which looks for matches within surrogate pairs, so there are none), what is
 * refused, and texts that hurt backtracking.
 */
class RegexPropertyTest {
    private static final List<String> ATOMS = List.of(
            "a", "b", "é", "🦙", " ", "\\s", "\\S", "\\p{L}", "\\p{N}", "[^\\s\\p{L}]", "[ab]", "[^a]", "\\d", "(?:ab|a)", "(?:a|b)", "(?=a)",
            "(?!b)", "(?=ab)", "(?!\\s+a)", "(?<=a)", "(?<!b)", "(?<=ab)", "(?i:A)", "\\b", "(?:)");
    private static final List<String> QUANTIFIERS = List.of("", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,3}?", "{2,}");
    private static final String[] TEXT = {"a", "a", "b", "A", "é", "中", " ", "\n", "1", "2", "!", "B"};

    @Test
    void shouldFindWhatBacktrackingFinds() {
        int compared = 0;
        for (long seed = 0; seed < 20_000; seed++) {
            Random random = new Random(seed);
            String expression = expression(random, 2);
            Pattern pattern = Pattern.compile(expression, Pattern.UNICODE_CHARACTER_CLASS | Pattern.MULTILINE);
            Regex regex = Regex.compile(expression);
            for (int i = 0; i < 3; i++) {
                String text = text(random);
                List<String> expected = matches(pattern, text);
                List<String> found = new ArrayList<>();
                regex.findAll(text, 0, text.length(), (start, end) -> found.add(start + "-" + end));
                assertEquals(expected, found, () -> "expression='" + expression + "', text='" + text + "'");
                compared += expected.size();
            }
        }
        assertTrue(compared > 20_000, "matches=" + compared);
    }

    /** An empty match directly behind another one is none. */
    private static List<String> matches(Pattern pattern, String text) {
        List<String> matches = new ArrayList<>();
        Matcher matcher = pattern.matcher(text);
        int last = -1;
        while (matcher.find()) {
            if (matcher.start() != matcher.end() || matcher.end() != last) {
                matches.add(matcher.start() + "-" + matcher.end());
                last = matcher.end();
            }
        }
        return matches;
    }

    private static String expression(Random random, int depth) {
        StringBuilder expression = new StringBuilder();
        for (int options = 1 + random.nextInt(3); options > 0; options--) {
            for (int parts = 1 + random.nextInt(3); parts > 0; parts--) {
                boolean group = depth > 0 && random.nextInt(6) == 0;
                String atom = group ? "(?:" + expression(random, depth - 1) + ")" : ATOMS.get(random.nextInt(ATOMS.size()));
                boolean place = group || atom.startsWith("(?=") || atom.startsWith("(?!") || atom.startsWith("(?<") || atom.equals("\\b")
                        || atom.equals("(?:)"); // what repetitions of nothing mean is where engines differ
                expression.append(atom).append(place ? "" : QUANTIFIERS.get(random.nextInt(QUANTIFIERS.size())));
            }
            expression.append(options > 1 ? "|" : "");
        }
        return expression.toString();
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(12); i > 0; i--) {
            text.append(TEXT[random.nextInt(TEXT.length)]);
        }
        return text.toString();
    }

    /** A backtracking matcher takes hours, or all of its stack. */
    @ParameterizedTest
    @ValueSource(strings = {"\\s+$", "(?:a|a)*c", "(?:a*)*c", "(?=(\\d{3})+(?!\\d))", "\\d{1,3}(?=(?:\\d{3})*\\b)",
        "(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+x"})
    void shouldTakeLinearTime(String expression) {
        Regex regex = Regex.compile(expression);
        for (String unit : List.of("a", " ", "1", " a", "a\u0301")) {
            String text = unit.repeat(200_000) + "!";
            int[] last = {0};
            regex.findAll(text, 0, text.length(), (_, end) -> last[0] = end);
            assertTrue(last[0] <= text.length());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', value = {
        "(a~'(' without ')', at=2", "a)~')' without '(', at=1", "[a~'[' without ']', at=2", "(?>a)~this kind of group is not understood, at=2",
        "(?:ab)++~a possessive quantifier of more than one character, at=8", "\\1~'\\1' is not understood, at=2",
        "(?<n>a)~a named group, at=3", "a{5,2}~bounds of a repetition: {5,2}, limit=1000, at=1", "*a~nothing to repeat, at=1",
        "[z-a]~a range from back to front: z-a, at=4"
    })
    void shouldRefuseWithThePlace(String expression, String reason) {
        RegexSyntaxException refusal = assertThrows(RegexSyntaxException.class, () -> Regex.compile(expression));
        assertEquals("regular expression not understood: " + reason, refusal.getMessage());
    }
}

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
            "a", "b", "é", "🦙", " ", "\\s", "\\S", "\\p{L}", "\\p{N}", "[^\\s\\p{L}]", "[ab]", "[^a]", "\\d", "(?:ab|a)",
            "(?:a|b)", "(?=a)",
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
                found.clear();
                regex.onceIn(text).findAll(0, text.length(), (start, end) -> found.add(start + "-" + end));
                assertEquals(expected, found, () -> "read once: expression='" + expression + "', text='" + text + "'");
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

    /** Blocks, and pairs of surrogates where they meet. */
    @Test
    void shouldFindTheSameInLongTexts() {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            Regex regex = Regex.compile(expression(random, 2));
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(1_000); i > 0; i--) {
                text.append(random.nextInt(3) == 0 ? "🦙" : TEXT[random.nextInt(TEXT.length)]);
            }
            List<String> forwards = new ArrayList<>();
            List<String> once = new ArrayList<>();
            regex.findAll(text.toString(), 0, text.length(), (start, end) -> forwards.add(start + "-" + end));
            regex.onceIn(text.toString()).findAll(0, text.length(), (start, end) -> once.add(start + "-" + end));
            assertEquals(forwards, once, () -> "expression='" + regex + "', text='" + text + "'");
        }
    }

    /** What is preferred ends at the end of the text or nowhere, at every place again: n² steps for a search after the other. */
    @ParameterizedTest
    @ValueSource(strings = {"a*b|a", "(?:a{3})*b|aa?", "(?:a|aa)+$|a", "a(?=a*b)|a", "\\s*[\\r\\n]+|\\s{1,2}(?!\\S)|\\s", "a*?b|a"})
    void shouldNotReadAheadAgainAndAgain(String expression) {
        Regex regex = Regex.compile(expression);
        for (String unit : List.of("a", " ", "ac")) {
            String text = unit.repeat(200_000 / unit.length()) + "!";
            int[] found = {0};
            regex.findAll(text, 0, text.length(), (_, _) -> found[0]++);
            assertTrue(found[0] <= text.length());
        }
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
        "(a~'(' without ')', at=2", "a)~')' without '(', at=1", "[a~'[' without ']', at=2",
                "(?>a)~this kind of group is not understood, at=2",
        "(?:ab)++~a possessive quantifier of more than one character, at=8", "\\1~'\\1' is not understood, at=2",
        "(?<n>a)~a named group, at=3", "a{5,2}~bounds of a repetition: {5,2}, limit=1000, at=1", "*a~nothing to repeat, at=1",
        "[z-a]~a range from back to front: z-a, at=4"
    })
    void shouldRefuseWithThePlace(String expression, String reason) {
        RegexSyntaxException refusal = assertThrows(RegexSyntaxException.class, () -> Regex.compile(expression));
        assertEquals("regular expression not understood: " + reason, refusal.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"(){1000}{1000}{1000}{1000}", "((){1000}()){1000}{1000}",
        "(?:a{0}){1000}{1000}{1000}", "(?:(?:)*)*", "(?:)??{3}"})
    void shouldRepeatNothingOnce(String expression) {
        List<String> found = new ArrayList<>();
        Regex.compile(expression).findAll("ab", 0, 2, (start, end) -> found.add(start + "-" + end));
        assertEquals(List.of("0-0", "1-1", "2-2"), found);
    }

    @ParameterizedTest
    @ValueSource(strings = {"((a{0,1000}){0,1000})", "a{1000}{1000}{1000}",
        "(?=a{1000}b){1000}((?=c{1000}d)e){1000}f{1000}{20}", "(?:(a|){1000}){1000}"})
    void shouldRefuseWhatBecomesTooLarge(String expression) {
        RegexSyntaxException refusal = assertThrows(RegexSyntaxException.class, () -> Regex.compile(expression));
        assertEquals("regular expression too large: instructions>20000", refusal.getMessage());
    }

    @Test
    void shouldRefuseWhatIsTooLongOrTooDeep() {
        String deep = "nested too deeply: limit=64, at=";
        assertRefused("[\\x1", "'[' without ']'");
        assertRefused("\\u12", "a number in hexadecimal digits");
        assertRefused("(".repeat(60_000), deep);
        assertRefused("[".repeat(60_000), deep);
        assertRefused("(?=".repeat(20_000), deep);
        assertRefused("(?i)".repeat(15_000), deep);
        assertRefused("a" + "*".repeat(60_000), "too many quantifiers of one part: limit=4, at=");
        assertRefused("a".repeat(65_537), "regular expression too long: chars=65537, limit=65536");
        assertRefused("(?=ab)(?!ab)".repeat(33), "regular expression too large: looks>64");
        assertRefused("\\p{" + "x".repeat(60_000) + "}", "\\p{ without '}'");
    }

    private static void assertRefused(String expression, String reason) {
        String message = String.valueOf(assertThrows(RegexSyntaxException.class, () -> Regex.compile(expression)).getMessage());
        assertTrue(message.contains(reason) && message.length() < 200, message);
    }

    @Test
    void shouldTakeClassesOfManyMembers() {
        StringBuilder members = new StringBuilder();
        StringBuilder nested = new StringBuilder();
        for (int c = 0x4E00; c < 0x4E00 + 20_000; c += 2) {
            members.appendCodePoint(c);
            nested.append("[^").appendCodePoint(c).append("]&&");
        }
        Regex one = Regex.compile("[" + members + "\\p{L}&&[^\\p{Lu}]]");
        Regex all = Regex.compile("[" + nested + "[^a]]");
        Regex anyCase = Regex.compile("(?i:[[[[[[[[[[[[[[[[[[[[[[k]]]]]]]]]]]]]]]]]]]]]])");
        assertEquals(List.of("0-1", "2-3"), found(one, "\u4E00A\u4E02"));
        assertEquals(List.of("1-2"), found(all, "\u4E00\u4E01a"));
        assertEquals(List.of("0-1", "1-2", "2-3"), found(anyCase, "kK\u212A"));
    }

    private static List<String> found(Regex regex, String text) {
        List<String> found = new ArrayList<>();
        regex.findAll(text, 0, text.length(), (start, end) -> found.add(start + "-" + end));
        return found;
    }
}

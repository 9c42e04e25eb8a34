package dev.tidestream.console;

import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

class PrintableTest {
    private static final String FAMILY = "\uD83D\uDC69\u200D\uD83D\uDC67"; // an emoji of two, joined

    @Test
    void shouldLeaveWhatIsSeen() {
        String seen = "café 模型 👍 \\ \" نص " + FAMILY;
        assertSame(seen, Printable.line(seen));
        assertSame("two\n\tlines", Printable.text("two\n\tlines"));
    }

    /** By code point: escape sequences (also in their one-byte form), ends of lines of all kinds, overrides, invisible marks. */
    @ParameterizedTest
    @CsvSource({"0, \\u0000", "7, \\u0007", "8, \\u0008", "1b, \\u001b", "7f, \\u007f", "85, \\u0085", "9b, \\u009b", "d, \\r",
        "2028, \\u2028", "2029, \\u2029", "202e, \\u202e", "2066, \\u2066", "200e, \\u200e", "feff, \\ufeff", "ad, \\u00ad",
        "d800, \\ud800", "dfff, \\udfff", "e0041, \\udb40\\udc41"})
    void shouldEscapeWhatIsNotSeen(String codePoint, String escape) {
        String text = "a" + Character.toString(Integer.parseInt(codePoint, 16)) + "b";
        assertEquals("a" + escape + "b", Printable.line(text));
        assertEquals("a" + escape + "b", Printable.text(text));
        assertEquals("a" + escape + "b", Printable.value(text, 10));
    }

    @Test
    void shouldKeepLinesTogether() {
        assertEquals("a\\nb\\tc", Printable.line("a\nb\tc"));
        assertEquals("a\nb\tc", Printable.text("a\nb\tc"));
    }

    @Test
    void shouldTellValuesApart() {
        assertEquals("a\\\\n", Printable.value("a\\n", 9));
        assertEquals("a\\n", Printable.value("a\n", 9));
        assertEquals("\"say \\\"x\\\"\"", Printable.quoted("say \"x\"", 9));
        assertEquals("\\u200d", Printable.value("\u200D", 9));
    }

    @Test
    void shouldCutBetweenCharacters() {
        assertEquals("abc", Printable.value("abc", 3));
        assertEquals("abc…", Printable.value("abcd", 3));
        assertEquals("ab👍…", Printable.value("ab👍d", 3));
    }

    /** Every text: nothing hidden is left, what was made printable stays as it is, and so does what the writer is given in pieces. */
    @Test
    void shouldMakeAnyTextPrintableOnce() {
        long seed = new SplittableRandom().nextLong();
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 2000; round++) {
            char[] chars = new char[random.nextInt(12)];
            for (int i = 0; i < chars.length; i++) {
                chars[i] = (char) (random.nextInt(4) == 0 ? random.nextInt(0xD800, 0xE000)
                        : random.nextInt(1 << random.nextInt(1, 17)));
            }
            String line = Printable.line(new String(chars));
            String where = "seed=" + seed + ", round=" + round;
            assertEquals(line, Printable.line(line), where);
            assertEquals(line, Printable.text(line), where);
            assertTrue(line.codePoints().allMatch(c -> c == 0x200C || c == 0x200D
                    || switch (Character.getType(c)) {
                        case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR,
                                Character.SURROGATE -> false;
                        default -> true;
                    }), where);
        }
    }
}

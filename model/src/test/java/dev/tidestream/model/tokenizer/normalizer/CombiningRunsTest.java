package dev.tidestream.model.tokenizer.normalizer;

import java.text.Normalizer.Form;
import java.util.Random;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

/** Long rows of combining marks: the JDK's result, in another time. */
class CombiningRunsTest {
    private static final int[] MARKS = {
        0x300, 0x301, 0x307, 0x315, 0x323, 0x327, 0x334, 0x338, 0x344, 0x345, 0x35C, 0x360, 0x591, 0x5B0, 0x64B, 0x93C, 0x94D, 0x903,
        0xE38, 0xF71,
        0xF73, 0xFF9E, 0xFF9F, 0x302A, 0x20DD, 0x1D165, 0x1D16D
    };

    @Test
    void shouldKeepTheNormalForm() {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            StringBuilder text = new StringBuilder("a");
            for (int i = 0; i < 150; i++) {
                text.appendCodePoint(MARKS[random.nextInt(MARKS.length)]);
                if (random.nextInt(120) == 0) {
                    text.append("é中");
                }
            }
            for (Form form : Form.values()) {
                assertEquals(java.text.Normalizer.normalize(text, form), new Normalizer.Form(form).apply(text.toString()), "seed=" + seed);
            }
        }
    }

    @Test
    void shouldLeaveShortRowsAlone() {
        String text = "e\u0301\u0323 plain";
        assertSame(text, CombiningRuns.sorted(text, Form.NFC));
    }

    /** The JDK takes minutes. */
    @Test
    void shouldSortAMegabyteOfMarks() {
        String text = "a" + "\u0301\u0323".repeat(250_000);
        assertEquals("\u1EA1" + "\u0323".repeat(249_999) + "\u0301".repeat(250_000), new Normalizer.Form(Form.NFC).apply(text));
    }

    /** Letters that become marks of a low class, behind marks of a high one. */
    @Test
    void shouldSortHalfwidthSoundMarks() {
        String text = "a" + "\u0301".repeat(200_000) + "\uFF9E".repeat(200_000);
        assertEquals("a" + "\u3099".repeat(200_000) + "\u0301".repeat(200_000), new Normalizer.Form(Form.NFKD).apply(text));
    }
}

package dev.tidestream.model.tokenizer.pretokenizer;

import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Every pre-tokenizer that has a name cuts long texts, and loses nothing: no stack and no n² steps, whatever a client sends. */
class LongTextTest {
    private static final int CHARS = 100_000;
    private static final List<String> UNITS = List.of(
            "a", "中", "🦙", "\u0301", " ", "\n", "1", "!", " a", "aA");

    static Stream<NamedPreTokenizer> all() {
        return NamedPreTokenizer.all().stream();
    }

    @ParameterizedTest
    @MethodSource("all")
    void shouldCutLongTexts(NamedPreTokenizer named) {
        PreTokenizer preTokenizer = named.preTokenizer();
        for (String unit : UNITS) {
            String text = unit.repeat(CHARS / unit.length()) + "x";
            assertEquals(text.length(), joined(preTokenizer.words(text, true)), () -> named.names() + ", unit='" + unit + "'");
        }
    }

    /** Where the words end, if each begins where the one before does. */
    private static int joined(Words words) {
        int at = 0;
        for (int i = 0; i < words.count(); i++) {
            assertEquals(at, words.start(i));
            at = words.end(i);
        }
        return at;
    }
}

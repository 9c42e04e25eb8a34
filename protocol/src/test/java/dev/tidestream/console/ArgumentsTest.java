package dev.tidestream.console;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class ArgumentsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    private Path commandLine(String bytes) throws IOException {
        return Files.write(folder.resolve("cmdline"), bytes.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static String utf8(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    @Test
    void shouldReadAgainWhatTheLocaleCouldNot() throws IOException {
        Path bytes = commandLine("java\0-cp\0x\0Main\0tokenize\0\0" + utf8("café 模型") + "\0");
        assertArrayEquals(new String[] {"tokenize", "", "café 模型"},
                Arguments.decoded(new String[] {"tokenize", "", "caf\uFFFD\uFFFD \uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"}, bytes));
    }

    /** U+FFFD itself is text like any other. */
    @Test
    void shouldTakeTheReplacementCharacterItself() throws IOException {
        Path bytes = commandLine("java\0Main\0" + utf8("a\uFFFDb") + "\0");
        assertArrayEquals(new String[] {"a\uFFFDb"}, Arguments.decoded(new String[] {"a\uFFFDb"}, bytes));
    }

    @Test
    void shouldRefuseWhatIsNotUtf8() throws IOException {
        Path bytes = commandLine("java\0Main\0x\0caf\u00E9\u001B\0");
        assertEquals("argument 2 is not UTF-8: caf\\xe9\\x1b", assertThrows(IllegalArgumentException.class,
                () -> Arguments.decoded(new String[] {"x", "caf\uFFFD\u001B"}, bytes)).getMessage());
    }

    @Test
    void shouldNotGuessWhereTheBytesAreNotToBeHad() {
        String[] plain = {"generate", "--prompt", "é"};
        assertArrayEquals(plain, Arguments.decoded(plain, folder.resolve("none")));
        assertThrows(IllegalArgumentException.class,
                () -> Arguments.decoded(new String[] {"caf\uFFFD"}, folder.resolve("none")));
    }
}

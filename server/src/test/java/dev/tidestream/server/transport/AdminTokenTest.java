package dev.tidestream.server.transport;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class AdminTokenTest {
    private static final String TEXT = "0123456789.abcdefgh~XYZ";

    @TempDir
    private Path dir;

    @Test
    void shouldMatchItselfOnly() {
        AdminToken token = AdminToken.of(TEXT);
        assertTrue(token.matches(TEXT));
        String tail = TEXT.substring(1);
        for (String other : List.of("", TEXT + "x", tail, "x" + tail, TEXT.toLowerCase(Locale.ROOT))) {
            assertFalse(token.matches(other), other);
        }
        assertFalse(token.toString().contains("0123"));
    }

    @Test
    void shouldGenerateTokensThatAreUsableAndNew() {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            String text = AdminToken.generate();
            assertEquals(43, text.length());
            assertTrue(AdminToken.of(text).matches(text));
            assertTrue(seen.add(text));
        }
    }

    @Test
    void shouldReadOneLineWithOrWithoutItsEnd() throws IOException {
        String longest = "x".repeat(1024);
        for (String text : List.of(TEXT, "!#$%&'*+-.^_`|~0aA", longest)) {
            for (String end : List.of("", "\n", "\r\n")) {
                assertEquals(text, AdminToken.read(write(text + end)));
            }
        }
    }

    @Test
    void shouldRefuseUnusableFilesWithoutShowingThem() throws IOException {
        String secret = "sesame";
        for (String text : List.of(
                "", "\n", "\r\n", "short-" + secret,
                secret + "-twelve and more", secret + "-tab\tinside-it", secret + "-nul-\0-inside-it",
                secret + "-of-two-lines\nsecond-line", secret + "-ends-with-two\n\n", "\n" + secret + "-begins-empty",
                secret + "-comma,inside-it", secret + "-slash/inside-it", secret + "-equals-sign-at-end==", secret + "-umlaut-ä-inside",
                secret + "-too-long" + "x".repeat(1024), secret + "-far-too-long" + "x".repeat(1 << 20))) {
            Path file = write(text);
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> AdminToken.read(file));
            assertTrue(String.valueOf(e.getMessage()).startsWith(file + ": an admin token "), e.getMessage());
            assertFalse(String.valueOf(e.getMessage()).contains(secret), e.getMessage());
        }
        assertThrows(NoSuchFileException.class, () -> AdminToken.read(dir.resolve("none")));
    }

    private Path write(String text) throws IOException {
        return Files.write(dir.resolve("token"), text.getBytes(StandardCharsets.UTF_8));
    }
}

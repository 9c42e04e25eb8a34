package dev.tidestream.server.keys;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.LoggedLines;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class KeyFileWatchTest {
    @TempDir
    Path temp;

    private static ApiKey key(String name) {
        return new ApiKey(name, KeyHash.of("the key of " + name), KeyLimits.NONE);
    }

    @Test
    void shouldReadAFileAgainThatHasChanged() throws Exception {
        KeyFile file = new KeyFile(temp.resolve("api-keys"));
        file.add(key("alice"));
        KeyFileWatch watch = KeyFileWatch.of(file);
        try (LoggedLines logged = new LoggedLines(KeyFileWatch.class.getName())) {
            assertFalse(watch.look());
            file.add(key("bob"));
            assertTrue(watch.look());
            assertFalse(watch.look());
            assertTrue(watch.keys().find("the key of bob").isPresent());
            file.remove("alice");
            assertTrue(watch.look());
            assertTrue(watch.keys().find("the key of alice").isEmpty());
            assertEquals(List.of("INFO API keys were read again: file=%s, keys=2".formatted(file.path()),
                    "INFO API keys were read again: file=%s, keys=1".formatted(file.path())), logged.lines());
        }
    }

    @Test
    void shouldKeepItsKeysWhileTheFileIsOfNoUse() throws Exception {
        KeyFile file = new KeyFile(temp.resolve("api-keys"));
        file.add(key("alice"));
        KeyFileWatch watch = KeyFileWatch.of(file);
        try (LoggedLines logged = new LoggedLines(KeyFileWatch.class.getName())) {
            String good = Files.readString(file.path());
            Files.writeString(file.path(), good + "bob ts-a-key-where-its-hash-should-be\n");
            assertFalse(watch.look());
            Files.delete(file.path());
            assertFalse(watch.look());
            assertTrue(watch.keys().find("the key of alice").isPresent());
            assertEquals(List.of(
                    ("ERROR API keys stay as they are, since their file is of no use: %s: line 3: after the name comes sha256: and the hash"
                            + " of the key").formatted(file.path()),
                    "ERROR API keys stay as they are, since their file cannot be read: %s: no such file".formatted(file.path())),
                    logged.lines());
            Files.writeString(file.path(), good + "# the same keys\n");
            assertFalse(watch.look());
            file.add(key("bob"));
            assertTrue(watch.look());
        }
    }

    @Test
    void shouldNotBeginWithAFileThatIsOfNoUse() throws Exception {
        Path path = temp.resolve("api-keys");
        Files.writeString(path, "alice\n");
        assertThrows(KeyFileException.class, () -> KeyFileWatch.of(new KeyFile(path)));
    }
}

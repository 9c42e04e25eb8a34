package dev.tidestream.loadtest.wire;

import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

class ApiKeyTest {
    @TempDir
    Path temp;

    private static List<String> shown(ApiKey key) {
        return key.shownBy(HttpRequest.newBuilder(URI.create("http://localhost"))).build().headers().allValues("Authorization");
    }

    @Test
    void shouldComeFromTheFileOrFromTheEnvironment() throws Exception {
        Path file = Files.writeString(temp.resolve("key"), "ts-of-the-file\n");
        Map<String, String> environment = Map.of(ApiKey.VARIABLE, "ts-of-the-environment");
        assertEquals(List.of("Bearer ts-of-the-file"), shown(ApiKey.find(file, environment::get)));
        assertEquals(List.of("Bearer ts-of-the-environment"), shown(ApiKey.find(null, environment::get)));
        assertSame(ApiKey.NONE, ApiKey.find(null, name -> null));
        assertSame(ApiKey.NONE, ApiKey.find(null, name -> " "));
        assertEquals(List.of(), shown(ApiKey.NONE));
    }

    @Test
    void shouldShowNothingOfWhatIsNoKey() throws Exception {
        Path file = Files.writeString(temp.resolve("key"), "two words");
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> ApiKey.find(file, name -> null));
        assertEquals(file + ": no key: must be one word of visible ASCII characters: characters=9", e.getMessage());
        assertThrows(NoSuchFileException.class, () -> ApiKey.find(temp.resolve("missing"), name -> null));
    }
}

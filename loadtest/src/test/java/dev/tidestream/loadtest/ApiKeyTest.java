package dev.tidestream.loadtest;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

class ApiKeyTest {
    @Test
    void shouldTakeTheKeyOfTheFileThenOursThenThatOfOpenAisClients(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("key"), "of-the-file\n");
        Map<String, String> both = Map.of("TIDESTREAM_API_KEY", "ours", "OPENAI_API_KEY", "theirs");
        assertEquals("of-the-file", ApiKey.find(file, both::get));
        assertEquals("ours", ApiKey.find(null, both::get));
        assertEquals("theirs", ApiKey.find(null, Map.of("TIDESTREAM_API_KEY", " ", "OPENAI_API_KEY", "theirs")::get));
        assertNull(ApiKey.find(null, _ -> null));
    }
}

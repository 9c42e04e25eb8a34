package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.Objects;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.server.app.StarterModel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class StarterModelTest {

    @Test
    void shouldOpenFromTheClassPath() {
        try (GgufFile file = StarterModel.open()) {
            assertEquals("Tidestream starter", file.metadata().string("general.name"));
            assertEquals(56, file.tensors().size());
            assertEquals(1_114_112, file.data(file.tensor("token_embd.weight")).byteSize());
        }
    }

    /** The build must not filter it, nor change a byte. */
    @Test
    void shouldBeTheFileThatWasTrained() throws IOException {
        byte[] trained = Files.readAllBytes(SharedData.path("starter/" + StarterModel.NAME));
        try (InputStream embedded = StarterModel.class.getResourceAsStream("/dev/tidestream/starter/" + StarterModel.NAME)) {
            assertArrayEquals(trained, Objects.requireNonNull(embedded).readAllBytes());
        }
    }

    @Test
    void shouldBeTheDefaultModel() {
        assertTrue(Run.of("inspect").out().startsWith("starter-q8_0.gguf: GGUF version 3, 6,273,824 bytes"));
    }
}

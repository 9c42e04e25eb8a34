package dev.tidestream.model.tensor;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.SharedData;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

class KQuantsTest {
    @Test
    void shouldUnpackTheGoldenBlocks() throws IOException {
        byte[] raw = Files.readAllBytes(SharedData.path("golden/dequant/Q6_K.bin"));
        byte[] expected = Files.readAllBytes(SharedData.path("golden/dequant/Q6_K.f32"));
        byte[] actual = new byte[expected.length];
        KQuants.unpackQ6K(MemorySegment.ofArray(raw), MemorySegment.ofArray(actual));
        assertArrayEquals(expected, actual);
    }
}

package dev.tidestream.model.tokenizer;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Random;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.tokenizer.gguf.GgufTokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Files with flipped bytes in their metadata: refused in words, or a tokenizer that works on whatever it was given. */
class TokenizerMutationTest {
    private static final String TEXT = "Hello, y'all! <s> <|endoftext|> 1234 \u0000 é🦙\n\n  end";
    private static final int FILES = 1_000;

    @ParameterizedTest
    @ValueSource(strings = {"models/stories260K/stories260K.gguf", "golden/models/gpt2/gguf/gpt2-Q4_0.gguf"})
    void shouldRefuseOrWork(String path) throws IOException {
        byte[] original = Files.readAllBytes(SharedData.path(path));
        int metadataBytes = indexOf(original, "token_embd");
        int worked = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(original.length, 8);
            for (long seed = 0; seed < FILES; seed++) {
                image.copyFrom(MemorySegment.ofArray(original));
                Random random = new Random(seed);
                for (int flips = 1 + random.nextInt(30); flips > 0; flips--) {
                    image.set(ValueLayout.JAVA_BYTE, 24 + random.nextInt(metadataBytes - 24), (byte) random.nextInt(256));
                }
                worked += works(image, "seed=" + seed) ? 1 : 0;
            }
        }
        assertTrue(worked > 0 && worked < FILES, "worked=" + worked);
    }

    private static boolean works(MemorySegment image, String message) {
        Tokenizer tokenizer;
        try (GgufFile file = GgufFile.of(image, "mutated.gguf")) {
            tokenizer = GgufTokenizer.tokenizer(file.metadata());
        } catch (GgufException | TokenizerException e) {
            assertNotNull(e.getMessage(), message);
            return false;
        }
        IncrementalDetokenizer detokenizer = tokenizer.newDetokenizer(new int[0]);
        StringBuilder streamed = new StringBuilder();
        int[] ids = tokenizer.encode(TEXT, true, true);
        for (int id : ids) {
            assertTrue(id >= 0 && id < tokenizer.vocabularySize(), message);
            streamed.append(detokenizer.append(id));
        }
        assertEquals(tokenizer.decode(ids), streamed + detokenizer.flush(), message);
        return true;
    }

    private static int indexOf(byte[] bytes, String text) {
        int index = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(text);
        assertTrue(index > 0, text);
        return index;
    }
}

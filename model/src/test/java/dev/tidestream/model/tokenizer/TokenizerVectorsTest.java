package dev.tidestream.model.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

/** llama.cpp's own vectors: 46 texts, their ids, and back. */
class TokenizerVectorsTest {

    @ParameterizedTest
    @ValueSource(strings = {"gpt-2", "llama-spm"})
    void shouldEncodeAndDecodeEveryVector(String name) throws IOException {
        String vocabulary = "vectors/tokenizer/ggml-vocab-" + name + ".gguf";
        Tokenizer tokenizer = Golden.tokenizer(vocabulary);
        String input = Files.readString(SharedData.path(vocabulary + ".inp"));
        String[] texts = input.split("\n__ggml_vocab_test__\n", -1);
        List<String> expected = Files.readAllLines(SharedData.path(vocabulary + ".out"));
        assertEquals(46, expected.size());
        assertEquals("", texts[expected.size()], "the last text is ended, too");
        for (int i = 0; i < expected.size(); i++) {
            String text = texts[i];
            int[] ids = Arrays.stream(expected.get(i).trim().split(" ")).filter(id -> !id.isEmpty())
                    .mapToInt(Integer::parseInt).toArray();
            assertArrayEquals(ids, tokenizer.encode(text, false, false), () -> "encoding '" + text + "'");
            assertEquals(text, tokenizer.decode(ids));
        }
    }
}

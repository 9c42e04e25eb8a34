package dev.tidestream.model.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class GgufFileTest {
    @TempDir
    Path folder;

    @Test
    void shouldReadWhatWasWritten() {
        float[] weights = {1, 2, 3, 4, 5, 6, 7, 8};
        byte[] blocks = new byte[2 * 34];
        blocks[67] = 42;
        Path path = new GgufWriter(2, 64)
                .string("general.architecture", "llama")
                .tensor("token_embd.weight", weights, 4, 2)
                .tensor("blk.0.attn_q.weight", GgmlType.Q8_0, blocks, 32, 2)
                .write(folder.resolve("tiny.gguf"));

        try (GgufFile file = GgufFile.open(path)) {
            assertEquals(2, file.version());
            assertEquals(path, file.path());
            assertEquals("llama", file.metadata().string("general.architecture"));
            assertEquals(List.of("token_embd.weight", "blk.0.attn_q.weight"), List.copyOf(file.tensors().keySet()));

            GgufTensor embedding = file.tensor("token_embd.weight");
            assertEquals(List.of(4L, 2L), embedding.dimensions());
            assertEquals(4, embedding.columns());
            assertEquals(2, embedding.rows());
            assertEquals(8, embedding.elements());
            assertEquals(0, embedding.offsetBytes() % 64);
            assertArrayEquals(weights, file.data(embedding).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));

            GgufTensor query = file.tensor("blk.0.attn_q.weight");
            assertEquals(GgmlType.Q8_0, query.type());
            assertEquals(68, query.bytes());
            assertArrayEquals(blocks, file.data(query).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void shouldNameWhatIsMissing() {
        Path path = new GgufWriter().tensor("a", new float[1], 1).write(folder.resolve("one.gguf"));
        try (GgufFile file = GgufFile.open(path)) {
            assertTrue(file.findTensor("b").isEmpty());
            GgufException e = assertThrows(GgufException.class, () -> file.tensor("b"));
            assertEquals(path + ": tensor 'b' is missing", e.getMessage());
        }
        GgufException e = assertThrows(GgufException.class, () -> GgufFile.open(folder.resolve("none.gguf")));
        assertEquals(folder.resolve("none.gguf") + ": no such file", e.getMessage());
        assertTrue(assertThrows(GgufException.class, () -> GgufFile.open(folder)).getMessage().contains("a directory"));
    }

    @Test
    void shouldGiveReadOnlyDataToAnyThreadUntilClosed() {
        Path path = new GgufWriter().tensor("a", new float[] {7}, 1).write(folder.resolve("one.gguf"));
        GgufFile file = GgufFile.open(path);
        MemorySegment data = file.data(file.tensor("a"));
        assertTrue(data.isReadOnly());
        assertEquals(7f, CompletableFuture.supplyAsync(() -> data.get(ValueLayout.JAVA_FLOAT, 0)).join());
        file.close();
        file.close();
        assertThrows(IllegalStateException.class, () -> data.get(ValueLayout.JAVA_FLOAT, 0));
    }

    @Test
    void shouldReadAnImageInMemory() {
        byte[] bytes = new GgufWriter().string("k", "v").tensor("a", new float[] {7}, 1).toByteArray();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(bytes.length, 64).copyFrom(MemorySegment.ofArray(bytes));
            try (GgufFile file = GgufFile.of(image, "embedded.gguf")) {
                assertEquals("v", file.metadata().string("k"));
                assertEquals(bytes.length, file.fileBytes());
                assertEquals(7f, file.data(file.tensor("a")).get(ValueLayout.JAVA_FLOAT, 0));
                assertTrue(file.data(file.tensor("a")).isReadOnly());
            }
            assertEquals('G', image.get(ValueLayout.JAVA_BYTE, 0)); // still the caller's
        }
        assertThrows(IllegalArgumentException.class, () -> GgufFile.of(MemorySegment.ofArray(bytes), "heap.gguf"));
    }

    @Test
    void shouldOpenEveryFileOfTheSharedData() throws IOException {
        List<Path> paths;
        try (Stream<Path> tree = Files.walk(SharedData.path("."))) {
            paths = tree.filter(path -> path.toString().endsWith(".gguf")).toList();
        }
        assertFalse(paths.isEmpty());
        for (Path path : paths) {
            if (path.endsWith("split1of2.gguf")) {
                assertEquals("%s: part 1 of 2: part 2 is missing: %s".formatted(path, path.resolveSibling("split2of2.gguf")),
                        assertThrows(GgufException.class, () -> GgufFile.open(path)).getMessage());
                continue;
            }
            try (GgufFile file = GgufFile.open(path)) {
                assertEquals(3, file.version());
                assertFalse(file.metadata().string("general.architecture").isEmpty());
                assertFalse(file.metadata().strings("tokenizer.ggml.tokens").isEmpty());
                long lastByte = file.tensors().values().stream()
                        .mapToLong(tensor -> tensor.offsetBytes() + file.data(tensor).byteSize()).max().orElse(0);
                long padding = file.fileBytes() - lastByte;
                assertTrue(file.tensors().isEmpty() || padding < 32, () -> "%s: %d bytes behind".formatted(path, padding));
            }
        }
    }

    @Test
    void shouldKnowStories260K() {
        try (GgufFile file = GgufFile.open(SharedData.path("models/stories260K/stories260K.gguf"))) {
            assertEquals(1_185_376, file.fileBytes());
            assertEquals(48, file.tensors().size());
            assertEquals(19, file.metadata().keys().size());
            assertEquals(64, file.metadata().integer("llama.embedding_length"));
            assertEquals(4294967295L, file.metadata().u32("tokenizer.ggml.padding_token_id"));
            assertEquals(1e-5f, file.metadata().float32("llama.attention.layer_norm_rms_epsilon"));
            assertEquals(512, file.metadata().floats("tokenizer.ggml.scores").length);
            assertEquals(List.of("<unk>", "<s>", "</s>"), file.metadata().strings("tokenizer.ggml.tokens").subList(0, 3));
            assertEquals(new GgufTensor("token_embd.weight", GgmlType.F32, List.of(64L, 512L), 14176, 131072),
                    file.tensor("token_embd.weight"));
        }
    }

    @Test
    void shouldKnowTheStarterModel() {
        try (GgufFile file = GgufFile.open(SharedData.path("starter/starter-q8_0.gguf"))) {
            assertEquals(56, file.tensors().size());
            assertTrue(file.findTensor("output.weight").isEmpty());
            GgufTensor embedding = file.tensor("token_embd.weight");
            assertEquals(GgmlType.Q8_0, embedding.type());
            assertEquals(4096L * 256 / 32 * 34, embedding.bytes());
            assertEquals(4096, embedding.rows());
            assertEquals(3839, file.metadata().strings("tokenizer.ggml.merges").size());
            assertTrue(file.metadata().bool("tokenizer.ggml.add_bos_token"));
        }
    }

    @Test
    void shouldSizeTernaryTensorsOfMicrosoft() {
        try (GgufFile file = GgufFile.open(SharedData.path("golden/models/bitnet/gguf/bitnet-I2_S.gguf"))) {
            assertEquals(14, file.tensors().values().stream().filter(tensor -> tensor.type() == GgmlType.I2_S).count());
            assertEquals(512 * 256 / 4 + 32, file.tensor("blk.0.ffn_down.weight").bytes());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"vectors/tokenizer/ggml-vocab-gpt-2.gguf", "vectors/tokenizer/ggml-vocab-llama-spm.gguf"})
    void shouldReadVocabularyFilesWithoutTensors(String name) {
        try (GgufFile file = GgufFile.open(SharedData.path(name))) {
            assertTrue(file.tensors().isEmpty());
            int tokens = file.metadata().strings("tokenizer.ggml.tokens").size();
            assertEquals(tokens, file.metadata().ints("tokenizer.ggml.token_type").length);
        }
    }
}

package dev.tidestream.server.huggingface;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.ModelLoader;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Where folders lie, how they are put together, and what is refused. */
class HuggingFaceFolderTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int[] PROMPT = {1, 5, 2, 31, 0};

    @TempDir
    private Path temporary;

    private final TinyFolder tiny = new TinyFolder();

    private static float[] logits(Path path) {
        try (ModelSource source = HuggingFaceFolder.open(path)) {
            return Goldens.logits(source, PROMPT, ActivationPrecision.F32);
        }
    }

    @Test
    void shouldBeTheSameModelHoweverItIsCutAndNamed() throws IOException {
        Path single = tiny.write(temporary.resolve("single"));
        Path sharded = tiny.writeShards(temporary.resolve("sharded"));
        float[] expected = logits(single);
        assertArrayEquals(expected, logits(single.resolve("model.safetensors")));
        assertArrayEquals(expected, logits(sharded));
        assertArrayEquals(expected, logits(sharded.resolve("model.safetensors.index.json")));
        assertArrayEquals(expected, logits(sharded.resolve("model-00001-of-00002.safetensors")));
        assertTrue(HuggingFaceFolder.isOne(single) && HuggingFaceFolder.isOne(sharded.resolve("model.safetensors.index.json")));
        assertFalse(HuggingFaceFolder.isOne(Path.of("model.gguf")));
    }

    /** Such as one of other weights, or of an adapter. */
    @Test
    void shouldTakeAFileThatTheIndexDoesNotListForItself() throws IOException {
        Path folder = tiny.writeShards(temporary.resolve("sharded"));
        Path other = folder.resolve("consolidated.safetensors");
        Files.write(other, TinyFolder.file("{}", new byte[0]));
        try (ModelSource source = HuggingFaceFolder.open(other)) {
            assertEquals(Map.of(), source.tensors());
        }
        Files.copy(tiny.write(temporary.resolve("single")).resolve("model.safetensors"), other, StandardCopyOption.REPLACE_EXISTING);
        try (ModelSource source = HuggingFaceFolder.open(other)) {
            assertEquals(List.of(other), source.parts());
        }
    }

    @Test
    void shouldCountNoTokensOfATokenizerThatIsNotUnderstood() throws IOException {
        Path folder = tiny.write(temporary.resolve("model"));
        float[] expected = logits(folder);
        Files.writeString(folder.resolve("tokenizer.json"), "{\"model\":{\"type\":\"Morse\"}}");
        try (HuggingFaceFolder source = HuggingFaceFolder.open(folder)) {
            assertTrue(source.hasTokenizer());
            assertTrue(source.tokens().isEmpty());
            assertThrows(TokenizerException.class, source::tokenizer);
        }
        assertArrayEquals(expected, logits(folder));
    }

    @Test
    void shouldFindASnapshotOfTheHubsCache() throws IOException {
        Path hub = temporary.resolve("models--some-org--Tiny-1.0");
        Path blobs = tiny.write(hub.resolve("blobs"));
        Path snapshot = Files.createDirectories(hub.resolve("snapshots").resolve("0123abcd"));
        for (String file : new String[] {"config.json", "model.safetensors"}) {
            Files.createSymbolicLink(snapshot.resolve(file), Path.of("../../blobs").resolve(file));
        }
        assertArrayEquals(logits(blobs), logits(hub)); // the only one
        Files.writeString(Files.createDirectories(hub.resolve("refs")).resolve("main"), "0123abcd");
        assertArrayEquals(logits(blobs), logits(hub));
        try (ModelSource source = HuggingFaceFolder.open(hub)) {
            assertEquals("some-org/Tiny-1.0", new ModelLoader(source).blueprint().name());
        }
        for (String wrong : new String[] {"../blobs", "gone", ".."}) {
            Files.writeString(hub.resolve("refs").resolve("main"), wrong);
            assertTrue(refusal(hub).contains(wrong));
        }
    }

    @Test
    void shouldKnowAModelAgain() throws IOException {
        Path folder = tiny.write(temporary.resolve("model"));
        String hash;
        String sample;
        try (ModelSource source = HuggingFaceFolder.open(folder)) {
            hash = source.sha256();
            sample = source.sampleHash();
            assertEquals(64, hash.length());
        }
        try (ModelSource source = HuggingFaceFolder.open(folder)) {
            assertEquals(hash, source.sha256());
            assertEquals(sample, source.sampleHash());
        }
        tiny.config.put("rope_theta", 20000.0);
        tiny.writeConfig(folder);
        try (ModelSource source = HuggingFaceFolder.open(folder)) {
            assertNotEquals(hash, source.sha256());
            assertNotEquals(sample, source.sampleHash());
        }
    }

    @Test
    void shouldNameWhatIsMissing() throws IOException {
        assertTrue(refusal(temporary).contains("neither model.safetensors nor model.safetensors.index.json is in it"));
        Path folder = tiny.writeShards(temporary.resolve("sharded"));
        Files.delete(folder.resolve("model-00002-of-00002.safetensors"));
        assertTrue(refusal(folder).contains("a file of weights is missing: "), refusal(folder));
        assertTrue(refusal(folder).endsWith("model-00002-of-00002.safetensors"), refusal(folder));
        Files.delete(folder.resolve("config.json"));
        assertTrue(refusal(folder).endsWith("config.json is missing"), refusal(folder));
    }

    @Test
    void shouldRefuseAnIndexThatIsNotWhatItsFilesAre() throws IOException {
        Path folder = tiny.writeShards(temporary.resolve("sharded"));
        Path file = folder.resolve("model.safetensors.index.json");
        ObjectNode index = (ObjectNode) JSON.readTree(file.toFile());
        ObjectNode map = (ObjectNode) index.get("weight_map");

        map.put("model.more.weight", "model-00001-of-00002.safetensors");
        JSON.writeValue(file.toFile(), index);
        assertTrue(refusal(folder).endsWith(
                "lists tensor model.more.weight in model-00001-of-00002.safetensors, which has none of this name"), refusal(folder));

        map.remove("model.more.weight");
        map.put("model.norm.weight", "model-00002-of-00002.safetensors".equals(map.get("model.norm.weight").asText())
                ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors");
        JSON.writeValue(file.toFile(), index);
        assertTrue(refusal(folder).contains("lists tensor model.norm.weight in "), refusal(folder));

        map.remove("model.norm.weight");
        JSON.writeValue(file.toFile(), index);
        assertTrue(refusal(folder).endsWith("tensor model.norm.weight is not listed in model.safetensors.index.json"), refusal(folder));

        map.put("model.norm.weight", "../other.safetensors");
        JSON.writeValue(file.toFile(), index);
        assertTrue(refusal(folder).contains("is not the name of a safetensors file beside it: \"../other.safetensors\""), refusal(folder));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "a\0.safetensors", "..\\a.safetensors", "/tmp/a.safetensors", "../a.safetensors",
        "C:a.safetensors", ".safetensors", "a\n.safetensors",
        "a\uD800.safetensors", "a", ""
    })
    void shouldRefuseNamesThatAreNoneBesideTheIndex(String name) throws IOException {
        Path folder = tiny.writeShards(temporary.resolve("sharded"));
        Path file = folder.resolve("model.safetensors.index.json");
        ObjectNode index = (ObjectNode) JSON.readTree(file.toFile());
        ((ObjectNode) index.get("weight_map")).put("model.norm.weight", name);
        Files.writeString(file, JSON.writer().with(JsonWriteFeature.ESCAPE_NON_ASCII).writeValueAsString(index));
        assertTrue(refusal(folder).contains("weight_map: model.norm.weight is not the name of a safetensors file beside it: "),
                refusal(folder));
    }

    @Test
    void shouldRefuseATensorInTwoFiles() throws IOException {
        Path folder = tiny.writeShards(temporary.resolve("sharded"));
        Files.write(folder.resolve("model-00002-of-00002.safetensors"), tiny.safetensors(List.copyOf(tiny.shapes.keySet())));
        assertTrue(refusal(folder).contains("tensor model.embed_tokens.weight is in "), refusal(folder));
    }

    /** Headers that would have us read what is not there, or twice. */
    @ParameterizedTest
    @ValueSource(strings = {
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]},\"b\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[8,24]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],"
                + "\"data_offsets\":[20,24]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[0,24]},\"a\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[0,24]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[0,24]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,24]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-6],\"data_offsets\":[0,24]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[8],\"data_offsets\":[0,32]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[0,20]}}",
        "{\"a\":{\"dtype\":\"F4\",\"shape\":[6],\"data_offsets\":[0,24]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[0,24],\"more\":1}}",
        "[]", "{", ""})
    void shouldRefuseAHostileHeader(String header) throws IOException {
        tiny.writeConfig(temporary);
        Files.write(temporary.resolve("model.safetensors"), TinyFolder.file(header, new byte[24]));
        assertTrue(refusal(temporary).contains("model.safetensors: "), refusal(temporary));
    }

    @ParameterizedTest
    @CsvSource({"-1", "1", "100000000", "9223372036854775807"})
    void shouldRefuseALengthThatIsNone(long length) throws IOException {
        tiny.write(temporary);
        byte[] bytes = Files.readAllBytes(temporary.resolve("model.safetensors"));
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
        Files.write(temporary.resolve("model.safetensors"), bytes);
        assertTrue(refusal(temporary).contains("header length must be in "), refusal(temporary));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "hidden_act|\"gelu\"", "attention_bias|true", "mlp_bias|true", "rope_scaling|{\"rope_type\":\"dynamic\",\"factor\":2.0}",
        "rope_scaling|{\"rope_type\":\"linear\",\"factor\":2.0,\"mystery\":1}", "mystery|0.5", "head_dim|\"x\"",
        "partial_rotary_factor|0.1",
        "quantization_config|{\"quant_method\":\"gptq\",\"bits\":4}", "model_type|\"mixtral\"", "model_type|\"mamba\"",
        "architectures|[\"LlamaForSequenceClassification\"]", "hidden_size|4294967296"})
    void shouldRefuseByKeyAndValue(String key, String value) throws IOException {
        tiny.config.set(key, JSON.readTree(value));
        tiny.write(temporary);
        String message = refusal(temporary);
        assertTrue(message.contains(key) || message.contains("rope_scaling."), message);
        assertTrue(message.contains("config.json: "), message);
    }

    @Test
    void shouldSayWhichModelsItKnows() throws IOException {
        tiny.config.put("model_type", "qwen3_moe");
        tiny.write(temporary);
        assertTrue(refusal(temporary).contains("model_type=\"qwen3_moe\" is not supported: a mixture of experts (supported: "
                + "llama, mistral,"),
                refusal(temporary));
    }

    @Test
    void shouldRefuseWhatItHasNoUseFor() throws IOException {
        tiny.shapes.put("vision_tower.patch.weight", new long[] {32, 32});
        tiny.write(temporary);
        assertTrue(refusal(temporary).contains("tensor vision_tower.patch.weight is not part of a llama language model"),
                refusal(temporary));
    }

    @Test
    void shouldPassOverWhatIsComputed() throws IOException {
        float[] expected = logits(tiny.write(temporary.resolve("without")));
        tiny.shapes.put("model.layers.0.self_attn.rotary_emb.inv_freq", new long[] {8});
        assertArrayEquals(expected, logits(tiny.write(temporary.resolve("with"))));
    }

    /** Tensors behind one of an odd length lie where no element of theirs begins. */
    @Test
    void shouldReadTensorsThatAreNotAligned() throws IOException {
        float[] expected = logits(tiny.write(temporary.resolve("aligned")));
        Path folder = tiny.write(temporary.resolve("odd"));
        byte[] bytes = Files.readAllBytes(folder.resolve("model.safetensors"));
        int length = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        byte[] odd = new byte[bytes.length + 3];
        ByteBuffer.wrap(odd).order(ByteOrder.LITTLE_ENDIAN).putLong(length + 3)
                .put(bytes, Long.BYTES, length).put(new byte[] {' ', ' ', ' '})
                .put(bytes, Long.BYTES + length, bytes.length - Long.BYTES - length);
        Files.write(folder.resolve("model.safetensors"), odd);
        assertArrayEquals(expected, logits(folder));
    }

    private static String refusal(Path path) {
        return String.valueOf(assertThrows(ModelException.class, () -> HuggingFaceFolder.open(path).close()).getMessage());
    }
}

package dev.tidestream.server.huggingface;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Makes folders of a LLaMA of a few thousand weights, right and wrong ones. */
final class TinyFolder {
    static final int HIDDEN = 32;
    private static final ObjectMapper JSON = new ObjectMapper();

    final ObjectNode config = JSON.createObjectNode();
    final Map<String, long[]> shapes = new LinkedHashMap<>();

    TinyFolder() {
        config.putArray("architectures").add("LlamaForCausalLM");
        config.put("model_type", "llama").put("hidden_act", "silu").put("hidden_size", HIDDEN).put("intermediate_size", HIDDEN)
                .put("num_hidden_layers", 1).put("num_attention_heads", 2).put("num_key_value_heads", 2).put("max_position_embeddings", 64)
                .put("rms_norm_eps", 1e-5).put("rope_theta", 10000.0).put("vocab_size", HIDDEN).put("tie_word_embeddings", true);
        shapes.put("model.embed_tokens.weight", new long[] {HIDDEN, HIDDEN});
        for (String name : List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj",
                "mlp.up_proj", "mlp.down_proj")) {
            shapes.put("model.layers.0." + name + ".weight", new long[] {HIDDEN, HIDDEN});
        }
        shapes.put("model.layers.0.input_layernorm.weight", new long[] {HIDDEN});
        shapes.put("model.layers.0.post_attention_layernorm.weight", new long[] {HIDDEN});
        shapes.put("model.norm.weight", new long[] {HIDDEN});
    }

    /** Writes it with all weights in one file. */
    Path write(Path folder) throws IOException {
        writeConfig(folder);
        Files.write(folder.resolve("model.safetensors"), safetensors(List.copyOf(shapes.keySet())));
        return folder;
    }

    /** Writes it with every other tensor in a second file. */
    Path writeShards(Path folder) throws IOException {
        writeConfig(folder);
        ObjectNode index = JSON.createObjectNode();
        index.putObject("metadata").put("total_size", 0);
        ObjectNode map = index.putObject("weight_map");
        List<String> names = List.copyOf(shapes.keySet());
        for (int shard = 0; shard < 2; shard++) {
            String file = "model-0000%d-of-00002.safetensors".formatted(shard + 1);
            int which = shard;
            List<String> some = names.stream().filter(name -> names.indexOf(name) % 2 == which).toList();
            some.forEach(name -> map.put(name, file));
            Files.write(folder.resolve(file), safetensors(some));
        }
        JSON.writeValue(folder.resolve("model.safetensors.index.json").toFile(), index);
        return folder;
    }

    void writeConfig(Path folder) throws IOException {
        Files.createDirectories(folder);
        JSON.writeValue(folder.resolve("config.json").toFile(), config);
    }

    /** A file of these tensors in F32; the values of one go by its name. */
    byte[] safetensors(List<String> names) {
        StringBuilder header = new StringBuilder("{");
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        for (String name : names) {
            long[] shape = shapes.getOrDefault(name, new long[0]);
            int elements = (int) LongStream.of(shape).reduce(1, (a, b) -> a * b);
            ByteBuffer bytes = ByteBuffer.allocate(elements * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            Random random = new Random(name.hashCode());
            for (int i = 0; i < elements; i++) {
                bytes.putFloat((float) random.nextGaussian() / 8 + (shape.length == 1 ? 1 : 0));
            }
            header.append("%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%d,%d]}".formatted(
                    header.length() == 1 ? "" : ",", name,
                    LongStream.of(shape).mapToObj(Long::toString).collect(Collectors.joining(",")), data.size(),
                    data.size() + bytes.capacity()));
            data.writeBytes(bytes.array());
        }
        return file(header.append('}').toString(), data.toByteArray());
    }

    /** A file with this header, padded as writers do, and these data. */
    static byte[] file(String header, byte[] data) {
        byte[] json = (header + " ".repeat(-header.length() & 7)).getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(Long.BYTES + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length).put(json).put(data).array();
    }
}

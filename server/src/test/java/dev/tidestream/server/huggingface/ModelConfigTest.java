package dev.tidestream.server.huggingface;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.architecture.Tie;
import dev.tidestream.model.gguf.GgufValue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What configurations become in GGUF's words. */
class ModelConfigTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static ObjectNode config(String modelType, String more) throws IOException {
        ObjectNode config = JSON.createObjectNode().put("model_type", modelType).put("hidden_size", 64).put("intermediate_size", 128)
                .put("num_hidden_layers", 4).put("num_attention_heads", 4).put("num_key_value_heads", 2)
                .put("max_position_embeddings", 4096);
        config.setAll((ObjectNode) JSON.readTree(more));
        return config;
    }

    private static Map<String, String> keys(String modelType, String more) throws IOException {
        Map<String, String> keys = new TreeMap<>();
        ModelConfig.of(config(modelType, more)).keys().values().forEach((key, value) -> keys.put(key, value.toString()));
        return keys;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "mistral|{\"sliding_window\":1024}|llama.attention.sliding_window|1024",
        "mistral|{}|tidestream.tie_word_embeddings|false",
        "mistral|{\"max_position_embeddings\":32768}|llama.attention.sliding_window|4096",
        "mistral|{\"layer_types\":[\"sliding_attention\",\"sliding_attention\",\"sliding_attention\",\"sliding_attention\"]}|"
        + "llama.attention.sliding_window|4096",
        "qwen3|{\"use_sliding_window\":true,\"max_window_layers\":0,\"max_position_embeddings\":8192}|qwen3.attention.sliding_window|4096",
        "smollm3|{\"no_rope_layers\":[1,1,1,0],\"use_sliding_window\":true,\"sliding_window\":4096}|smollm3.rope.freq_base|2000000.0",
        "llama|{\"num_key_value_heads\":null}|llama.attention.head_count_kv|4",
        "mistral|{\"num_key_value_heads\":null}|llama.attention.head_count_kv|4",
        "gemma2|{}|tidestream.tie_word_embeddings|true",
        "qwen2|{\"use_sliding_window\":true,\"sliding_window\":512,\"max_window_layers\":0}|qwen2.attention.sliding_window|512",
        "llama|{\"rope_scaling\":{\"type\":\"linear\",\"factor\":4}}|llama.rope.scaling.factor|4.0",
        "llama|{\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":4,\"rope_theta\":5000}}|llama.rope.freq_base|5000.0",
        "qwen2|{\"rope_scaling\":{\"type\":\"yarn\",\"factor\":4,\"original_max_position_embeddings\":1024}}|"
        + "qwen2.rope.scaling.original_context_length|1024",
        "qwen3|{\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":4}}|qwen3.rope.scaling.original_context_length|4096",
        "qwen3|{\"head_dim\":128}|qwen3.attention.key_length|128",
        "phi3|{\"partial_rotary_factor\":0.75}|phi3.rope.dimension_count|12",
        "phi3|{\"sliding_window\":2047}|phi3.attention.sliding_window|2047",
        "gemma2|{\"head_dim\":16,\"query_pre_attn_scalar\":64}|gemma2.attention.scale|0.125",
        "gemma2|{}|gemma2.attn_logit_softcapping|50.0",
        "gemma2|{}|gemma2.attention.sliding_window_pattern|2",
        "gemma2|{\"final_logit_softcapping\":null}|gemma2.final_logit_softcapping|0.0",
        "gemma3_text|{\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":8}}|gemma3.rope.scaling.factor|8.0",
        "gemma3_text|{}|gemma3.rope.freq_base_swa|10000.0",
        "gemma3_text|{}|gemma3.rope.freq_base|1000000.0",
        "bitnet|{\"hidden_act\":\"silu\"}|general.architecture|bitnet",
        "bitnet|{}|general.architecture|bitnet-b1.58"})
    void shouldTranslate(String modelType, String more, String key, String value) throws IOException {
        assertEquals(value, keys(modelType, more).get(key));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "mistral|{\"sliding_window\":null}|llama.attention.sliding_window",
        "qwen2|{\"sliding_window\":512,\"max_window_layers\":0}|qwen2.attention.sliding_window",
        "qwen2|{\"use_sliding_window\":true,\"sliding_window\":null,\"max_window_layers\":0}|qwen2.attention.sliding_window",
        "qwen2|{\"use_sliding_window\":true,\"sliding_window\":512}|qwen2.attention.sliding_window",
        "smollm3|{\"sliding_window\":512}|smollm3.attention.sliding_window",
        "phi3|{}|phi3.attention.sliding_window"})
    void shouldKnowThatThereIsNoWindow(String modelType, String more, String key) throws IOException {
        assertFalse(keys(modelType, more).containsKey(key));
    }

    /** Values of the configuration classes of transformers 5.18, which leave out what is their own default where they are nested. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        // model_type | hidden, feed-forward, layers, heads, KV heads, head, context | epsilon | theta | tied
        "llama|llama|4096,11008,32,32,32,128,2048|1.0E-6|10000.0|false",
        "mistral|llama|4096,14336,32,32,8,128,131072|1.0E-6|10000.0|false",
        "qwen2|qwen2|4096,22016,32,32,32,128,32768|1.0E-6|10000.0|false",
        "qwen3|qwen3|4096,22016,32,32,32,128,32768|1.0E-6|10000.0|false",
        "smollm3|smollm3|2048,11008,36,16,4,128,32768|1.0E-6|2000000.0|true",
        "phi3|phi3|3072,8192,32,32,32,96,4096|1.0E-5|10000.0|false",
        "bitnet|bitnet-b1.58|2560,6912,30,20,5,128,2048|1.0E-5|500000.0|false",
        "gemma|gemma|3072,24576,28,16,16,256,8192|1.0E-6|10000.0|true",
        "gemma2|gemma2|2304,9216,26,8,4,256,8192|1.0E-6|10000.0|true",
        "gemma3_text|gemma3|2304,9216,26,8,4,256,131072|1.0E-6|1000000.0|true"})
    void shouldKnowWhatIsLeftOut(String modelType, String family, String sizes, double epsilon, double theta, String tied)
            throws IOException {
        ModelConfig config = ModelConfig.of(JSON.createObjectNode().put("model_type", modelType));
        Map<String, GgufValue> keys = config.keys().values();
        assertEquals(sizes, Stream.of("embedding_length", "feed_forward_length", "block_count", "attention.head_count",
                "attention.head_count_kv", "attention.key_length", "context_length")
                .map(key -> String.valueOf(keys.get(family + "." + key))).collect(Collectors.joining(",")));
        assertEquals((float) epsilon, Float.parseFloat(String.valueOf(keys.get(family + ".attention.layer_norm_rms_epsilon"))));
        assertEquals((float) theta, Float.parseFloat(String.valueOf(keys.get(family + ".rope.freq_base"))));
        assertEquals(tied, String.valueOf(keys.get(Tie.KEY)));
    }

    @ParameterizedTest
    @CsvSource({"n_embd, embedding_length, 768", "n_layer, block_count, 12", "n_head, attention.head_count, 12",
        "n_positions, context_length, 1024", "n_inner, feed_forward_length, 3072"})
    void shouldKnowWhatIsLeftOutOfGpt2(String name, String key, String value) throws IOException {
        ObjectNode config = JSON.createObjectNode().put("model_type", "gpt2");
        assertEquals(value, String.valueOf(ModelConfig.of(config).keys().values().get("gpt2." + key)), name);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "qwen2|{\"use_sliding_window\":true,\"sliding_window\":512,\"max_window_layers\":2}|sliding_window=512",
        "qwen2|{\"use_sliding_window\":true,\"max_window_layers\":2,\"max_position_embeddings\":8192}|use_sliding_window=true",
        "qwen2|{\"layer_types\":[\"sliding_attention\",\"sliding_attention\",\"sliding_attention\",\"sliding_attention\"],"
        + "\"sliding_window\":8}|layer_types=",
        "smollm3|{\"use_sliding_window\":true,\"sliding_window\":512}|sliding_window=512",
        "smollm3|{\"sliding_window\":512,\"layer_types\":[\"full_attention\",\"full_attention\",\"full_attention\","
        + "\"sliding_attention\"]}|layer_types=",
        "mistral|{\"layer_types\":[\"full_attention\",\"full_attention\",\"full_attention\",\"full_attention\"]}|layer_types=",
        "mistral|{\"sliding_window\":null,\"layer_types\":[\"sliding_attention\",\"full_attention\",\"full_attention\","
        + "\"full_attention\"]}|layer_types=",
        "gemma2|{\"sliding_window\":null}|sliding_window=null",
        "gemma|{\"use_bidirectional_attention\":true}|use_bidirectional_attention=true",
        "qwen3|{\"use_sliding_window\":true,\"sliding_window\":512,\"layer_types\":[\"full_attention\",\"full_attention\","
        + "\"sliding_attention\",\"sliding_attention\"]}|layer_types=",
        "llama|{\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":4,\"mscale\":0.7}}|rope_scaling.mscale=0.7",
        "llama|{\"rope_theta\":1,\"rope_parameters\":{\"rope_theta\":2}}|rope_theta=1",
        "llama|{\"rope_scaling\":{\"rope_type\":\"mrope\"}}|rope_scaling.rope_type=\"mrope\"",
        "smollm3|{\"no_rope_layers\":[1,1,0,1]}|no_rope_layers=[1,1,0,1]",
        "gemma3_text|{\"use_bidirectional_attention\":true}|use_bidirectional_attention=true",
        "gemma3_text|{\"layer_types\":[\"full_attention\",\"sliding_attention\",\"full_attention\",\"full_attention\"]}|layer_types=",
        "bitnet|{\"hidden_act\":\"gelu\"}|hidden_act=\"gelu\"",
        "bitnet|{\"quantization_config\":{\"quant_method\":\"bitnet\",\"use_rms_norm\":true}}|quantization_config.use_rms_norm=true",
        "bitnet|{\"quantization_config\":{\"quant_method\":\"bitnet\",\"quantization_mode\":\"online\"}}|"
        + "quantization_config.quantization_mode=\"online\"",
        "phi3|{\"rope_scaling\":{\"type\":\"longrope\",\"short_factor\":[1],\"long_factor\":[1]}}|rope_scaling.long_factor=[1]",
        "llama|{\"hidden_size\":\"x\"}|hidden_size=\"x\"",
        "llama|{\"rope_scaling\":{\"rope_type\":\"linear\"}}|rope_scaling.factor is missing"})
    void shouldRefuse(String modelType, String more, String named) throws IOException {
        ObjectNode config = config(modelType, more);
        String message = String.valueOf(assertThrows(ModelException.class, () -> ModelConfig.of(config)).getMessage());
        assertTrue(message.startsWith(named), message);
    }

    @Test
    void shouldScaleLongRope() throws IOException {
        GgufKeys keys = ModelConfig.of(config("phi3", """
                {"original_max_position_embeddings": 1024, "rope_scaling": {"type": "longrope",
                 "short_factor": [1, 1, 1, 1, 1, 1, 1, 2], "long_factor": [1, 2, 3, 4, 5, 6, 7, 8]}}""")).keys();
        assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, keys.vectors().get("rope_factors_long.weight"));
        assertEquals(String.valueOf((float) Math.sqrt(1 + Math.log(4) / Math.log(1024))),
                String.valueOf(keys.values().get("phi3.rope.scaling.attn_factor")));
    }

    /** Early files of Phi-3 call LongRoPE yarn or su; the length of training is 4096 unless it is outside of the scaling. */
    @ParameterizedTest
    @CsvSource({"su, '', 4096, 2.0", "yarn, '', 4096, 2.0", "longrope, '\"original_max_position_embeddings\": 1024,', 1024, 8.0",
        "longrope, '\"original_max_position_embeddings\": 1024, \"max_position_embeddings\": 4096,', 1024, 4.0"})
    void shouldReadLongRopeOfPhi3(String type, String more, int original, double factor) throws IOException {
        Map<String, String> keys = keys("phi3", """
                {"max_position_embeddings": 8192, %s "rope_scaling": {"type": "%s", "original_max_position_embeddings": 64,
                 "short_factor": [1, 1, 1, 1, 1, 1, 1, 2], "long_factor": [1, 2, 3, 4, 5, 6, 7, 8]}}""".formatted(more, type));
        assertEquals("longrope", keys.get("phi3.rope.scaling.type"));
        assertEquals(String.valueOf(original), keys.get("phi3.rope.scaling.original_context_length"));
        assertEquals(String.valueOf((float) Math.sqrt(1 + Math.log(factor) / Math.log(original))),
                keys.get("phi3.rope.scaling.attn_factor"));
    }

    @Test
    void shouldTakeTheLanguageModelsOwnValues() throws IOException {
        ObjectNode outer = JSON.createObjectNode().put("model_type", "llava").put("tie_word_embeddings", true).put("vocab_size", 100);
        outer.set("text_config", config("llama", "{\"tie_word_embeddings\":false}"));
        ModelConfig config = ModelConfig.of(outer);
        assertTrue(config.nested());
        assertEquals("false", String.valueOf(config.keys().values().get(Tie.KEY)));
        assertEquals("100", String.valueOf(config.keys().values().get("llama.vocab_size")));
        assertEquals(List.of("tie_word_embeddings=true contradicts text_config.tie_word_embeddings=false, which counts,"
                + " since it is the language model's"), config.warnings());
    }

    @Test
    void shouldNotForgetAnotherQuantisationOutside() throws IOException {
        ObjectNode outer = JSON.createObjectNode().put("model_type", "llava");
        outer.putObject("quantization_config").put("quant_method", "awq");
        outer.set("text_config", config("llama", "{}"));
        assertThrows(ModelException.class, () -> ModelConfig.of(outer));
    }

    @Test
    void shouldNameMultimodalModels() throws IOException {
        ObjectNode outer = JSON.createObjectNode().put("model_type", "qwen2_5_vl");
        outer.set("text_config", config("qwen2_5_vl_text", "{}"));
        String message = String.valueOf(assertThrows(ModelException.class, () -> ModelConfig.of(outer)).getMessage());
        assertTrue(message.contains("a multimodal model"), message);
        assertFalse(message.contains("experts"), message);
    }
}

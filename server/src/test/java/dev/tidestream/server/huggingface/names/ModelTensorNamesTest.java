package dev.tidestream.server.huggingface.names;

import java.util.List;
import java.util.Optional;
import java.util.Set;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ModelTensorNamesTest {
    private static final Set<String> HELD = Set.of("token_embd.weight", "output.weight", "output_norm.weight", "blk.1.attn_q.weight",
            "blk.1.attn_v.weight", "blk.1.attn_qkv.weight", "blk.1.attn_qkv.bias", "blk.1.ffn_up.weight", "blk.1.attn_output.weight",
            "blk.1.ffn_norm.weight", "blk.1.post_attention_norm.weight");

    @ParameterizedTest
    @CsvSource({
        "llama, model.embed_tokens.weight, token_embd.weight, false, 0, 0",
        "llama, embed_tokens.weight, token_embd.weight, false, 0, 0",
        "llama, lm_head.weight, output.weight, false, 0, 0",
        "llama, output.weight, output.weight, false, 0, 0",
        "llama, model.norm.weight, output_norm.weight, false, 0, 0",
        "llama, model.layers.1.self_attn.q_proj.weight, blk.1.attn_q.weight, false, 16, 0",
        "llama, blk.1.attn_q.weight, blk.1.attn_q.weight, false, 0, 0",
        "qwen2, model.layers.1.self_attn.q_proj.weight, blk.1.attn_q.weight, false, 0, 0",
        "llama, model.layers.1.self_attn.v_proj.weight, blk.1.attn_v.weight, false, 0, 0",
        "phi3, model.layers.1.self_attn.qkv_proj.weight, blk.1.attn_qkv.weight, false, 0, 0",
        "phi3, model.layers.1.mlp.gate_up_proj.weight, blk.1.ffn_up.weight, false, 0, 0",
        "gpt2, transformer.h.1.attn.c_proj.weight, blk.1.attn_output.weight, true, 0, 0",
        "gpt2, h.1.attn.c_attn.bias, blk.1.attn_qkv.bias, false, 0, 0",
        "gpt2, blk.1.attn_output.weight, blk.1.attn_output.weight, false, 0, 0",
        "gemma2, model.layers.1.post_attention_layernorm.weight, blk.1.post_attention_norm.weight, false, 0, 1",
        "llama, model.layers.1.post_attention_layernorm.weight, blk.1.ffn_norm.weight, false, 0, 0",
    })
    void shouldFindATensorByEitherName(String architecture, String name, String tensor, boolean transposed, int headDim, float added) {
        ModelTensorNames names = ModelTensorNames.of(architecture, 16, HELD);
        assertEquals(Optional.of(new NamedTensor(tensor, transposed, headDim, added)), names.find(name));
    }

    @Test
    void shouldFindNothingThatTheModelHasNot() {
        ModelTensorNames names = ModelTensorNames.of("llama", 16, HELD);
        for (String name : List.of("model.layers.2.self_attn.q_proj.weight", "model.layers.1.self_attn.g_proj.weight",
                "blk.2.attn_q.weight",
                "transformer.h.1.attn.c_proj.weight", "model.layers.1.self_attn.q_proj", "")) {
            assertEquals(Optional.empty(), names.find(name), name);
        }
        assertEquals(Optional.empty(), ModelTensorNames.of("unknown", 16, HELD).find("model.norm.weight"));
        assertTrue(ModelTensorNames.of("unknown", 16, HELD).find("output_norm.weight").isPresent());
    }

    @Test
    void shouldSayWhereRowsAreHeld() {
        NamedTensor q = new NamedTensor("blk.0.attn_q.weight", false, 16, 0);
        for (long held = 0; held < 64; held++) {
            long inHead = held % 16;
            assertEquals(held - inHead + inHead / 2 + inHead % 2 * 8, q.rowOfHeld(held));
            assertEquals(held, q.heldRow(q.rowOfHeld(held)));
        }
        assertEquals(2 * 7 + 3, q.heldIndex(q.rowOfHeld(2) * 7 + 3, 64, 7));
    }

    @Test
    void shouldSayWhereElementsOfTransposedMatricesAreHeld() {
        NamedTensor conv = new NamedTensor("blk.0.ffn_up.weight", true, 0, 0);
        assertEquals(List.of(5L, 3L), conv.shape(List.of(3L, 5L)));
        assertEquals(2 * 5 + 4, conv.heldIndex(4 * 3 + 2, 3, 5));
    }

    @ParameterizedTest
    @CsvSource({
        "llama, blk.1.attn_q.weight, model.layers.1.self_attn.q_proj.weight",
        "llama, token_embd.weight, model.embed_tokens.weight",
        "llama, output.weight, lm_head.weight",
        "gpt2, blk.1.attn_output.weight, transformer.h.1.attn.c_proj.weight",
        "gpt2, output.weight, lm_head.weight",
        "gemma2, blk.1.post_attention_norm.weight, model.layers.1.post_attention_layernorm.weight",
        "llama, rope_freqs.weight, rope_freqs.weight",
    })
    void shouldSayWhatTheirsAre(String architecture, String tensor, String theirs) {
        assertEquals(theirs, ModelTensorNames.of(architecture, 16, HELD).theirs(tensor));
    }
}

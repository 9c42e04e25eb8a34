package dev.tidestream.server.huggingface;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tidestream.model.architecture.Tie;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufValue;

/**
 * What {@code config.json} says of a language model. In the configuration of a larger model it is an object inside: then its own values
 * win, what contradicts them outside is told, and a few keys count outside where it has none itself.
 *
 * @param family whose model it is
 * @param keys in GGUF's words
 * @param bitNet how weights are quantised, if they are
 * @param nested whether it is inside of another
 * @param warnings for people, a line each
 */
record ModelConfig(Family family, GgufKeys keys, Optional<BitNetWeights> bitNet, boolean nested, List<String> warnings) {
    private static final String TIED = "tie_word_embeddings";
    private static final List<String> INSIDE = List.of("text_config", "language_config", "llm_config");
    private static final Set<String> COUNT_OUTSIDE = Set.of(TIED, "quantization_config", "vocab_size");

    /** What two configurations may say differently without any consequence. */
    private static final Set<String> OF_EACH = Set.of("architectures", "model_type", "transformers_version", "torch_dtype", "dtype",
            "_name_or_path", "initializer_range", "use_cache");

    /** What changes nothing that is computed here: remarks, training, tokens that others look after. */
    private static final Set<String> HARMLESS = Set.of(
            "architectures", "model_type", "_name_or_path", "name_or_path", "transformers_version", "torch_dtype", "dtype",
            "use_cache", "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "decoder_start_token_id",
            "unk_token_id", "initializer_range", "attention_dropout", "hidden_dropout", "hidden_dropout_prob", "attn_pdrop",
            "embd_pdrop", "resid_pdrop", "attn_dropout", "embd_dropout", "resid_dropout", "dropout", "classifier_dropout",
            "layerdrop", "pretraining_tp", "auto_map", "_attn_implementation", "attn_implementation",
            "_attn_implementation_autoset", "output_attentions", "output_hidden_states", "return_dict",
            "return_dict_in_generate", "use_return_dict", "torchscript", "use_bfloat16", "id2label", "label2id", "num_labels",
            "problem_type", "finetuning_task", "task_specific_params", "tokenizer_class", "prefix", "is_decoder",
            "is_encoder_decoder", "chunk_size_feed_forward", "gradient_checkpointing", "reorder_and_upcast_attn",
            "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj",
            "cache_implementation", "max_window_layers", "max_length", "min_length", "do_sample", "temperature", "top_k",
            "top_p", "num_beams", "pruned_heads", "unsloth_fixed", "unsloth_version", "transformers.js_config",
            "max_sequence_length", "model_max_length", "tokenizer_model_max_length", "is_llama_config", "_num_labels",
            "tf_legacy_loss", "no_repeat_ngram_size", "repetition_penalty", "n_special", "predict_special_tokens");

    ModelConfig {
        warnings = List.copyOf(warnings);
    }

    /**
     * Reads a configuration.
     *
     * @throws dev.tidestream.model.architecture.ModelException if it is of another kind of model, or has a key that may change how it
     *     computes and is not understood; does not name the file
     */
    static ModelConfig of(JsonNode root) {
        List<String> warnings = new ArrayList<>();
        Optional<String> inside = INSIDE.stream().filter(key -> root.path(key).isObject()).findFirst();
        ConfigObject model = inside.map(key -> new ConfigObject(key + ".", merged(root, key, warnings)))
                .orElseGet(() -> new ConfigObject("", root));
        Family family = Family.of(model, inside.map(_ -> new ConfigObject("", root)));
        GgufKeys keys = family.keys(model);
        keys.general(Tie.KEY, new GgufValue.BoolValue(model.bool(TIED, family.tied())));
        Optional<BitNetWeights> bitNet = BitNetWeights.of(model);
        model.requireAllRead(HARMLESS);
        return new ModelConfig(family, keys, bitNet, inside.isPresent(), warnings);
    }

    private static JsonNode merged(JsonNode root, String key, List<String> warnings) {
        ObjectNode merged = root.path(key).deepCopy();
        for (Map.Entry<String, JsonNode> outside : root.properties()) {
            JsonNode own = merged.path(outside.getKey());
            boolean has = !own.isMissingNode() && !own.isNull();
            if (!has && COUNT_OUTSIDE.contains(outside.getKey())) {
                merged.set(outside.getKey(), outside.getValue());
            } else if (has && !OF_EACH.contains(outside.getKey()) && !own.equals(outside.getValue()) && !outside.getValue().isNull()) {
                warnings.add("%s=%s contradicts %s.%s=%s, which counts, since it is the language model's".formatted(
                        GgufException.quote(outside.getKey()), GgufException.quote(outside.getValue().toString()),
                        key, GgufException.quote(outside.getKey()), GgufException.quote(own.toString())));
            }
        }
        return merged;
    }
}

package dev.tidestream.server.huggingface;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.server.huggingface.names.TensorNaming;

/**
 * A family of models as a configuration names it.
 *
 * @param modelTypes what {@code model_type} says
 * @param modelClass what {@code architectures} says
 * @param tied what a configuration without {@code tie_word_embeddings} means
 * @param naming of its tensors
 * @param ggufName GGUF's name for it
 * @param translator reads what is the family's own
 */
record Family(
        Set<String> modelTypes, String modelClass, boolean tied, TensorNaming naming, Function<ConfigObject, String> ggufName,
        Translator translator) {
    private static final String MODEL_TYPE = "model_type";
    private static final String CLASSES = "architectures";

    private static final List<Family> KNOWN = List.of(
            llama("llama", "LlamaForCausalLM", false, TensorNaming.LLAMA, "llama", LlamaConfigs::llama),
            llama("mistral", "MistralForCausalLM", false, TensorNaming.LLAMA, "llama", LlamaConfigs::mistral),
            llama("qwen2", "Qwen2ForCausalLM", false, TensorNaming.HALVES, "qwen2", LlamaConfigs::qwen2),
            llama("qwen3", "Qwen3ForCausalLM", false, TensorNaming.QWEN3, "qwen3", LlamaConfigs::qwen3),
            llama("smollm3", "SmolLM3ForCausalLM", true, TensorNaming.LLAMA, "smollm3", LlamaConfigs::smolLm3),
            llama("phi3", "Phi3ForCausalLM", false, TensorNaming.PHI3, "phi3", LlamaConfigs::phi3),
            new Family(Set.of("bitnet"), "BitNetForCausalLM", false, TensorNaming.BITNET,
                    LlamaConfigs::bitNetArchitecture, LlamaConfigs::bitNet),
            llama("gemma", "GemmaForCausalLM", true, TensorNaming.GEMMA, "gemma", GemmaConfigs::gemma),
            llama("gemma2", "Gemma2ForCausalLM", true, TensorNaming.GEMMA2, "gemma2", GemmaConfigs::gemma2),
            llama("gemma3_text", "Gemma3ForCausalLM", true, TensorNaming.GEMMA3, "gemma3", GemmaConfigs::gemma3),
            llama("gpt2", "GPT2LMHeadModel", true, TensorNaming.GPT2, "gpt2", Gpt2Configs::gpt2));

    /** All of them. */
    static List<Family> known() {
        return KNOWN;
    }

    /** Reads what is a family's own from a configuration. */
    interface Translator {
        void translate(ConfigObject config, GgufKeys keys);
    }

    private static Family llama(
            String modelType, String modelClass, boolean tied, TensorNaming naming, String architecture, Translator translator) {
        return new Family(Set.of(modelType), modelClass, tied, naming, _ -> architecture, translator);
    }

    /**
     * The family of a configuration.
     *
     * @param model of the language model
     * @param whole that has it inside, if it is nested
     * @throws ModelException if it is not known; with all that are
     */
    static Family of(ConfigObject model, Optional<ConfigObject> whole) {
        String type = model.findText(MODEL_TYPE).orElseThrow(() -> model.missing(MODEL_TYPE));
        Family family = KNOWN.stream().filter(known -> known.modelTypes.contains(type)).findFirst()
                .orElseThrow(() -> model.refused(MODEL_TYPE, "is not supported%s (supported: %s)".formatted(kind(type, whole.isPresent()),
                        KNOWN.stream().flatMap(known -> known.modelTypes.stream()).collect(Collectors.joining(", ")))));
        List<String> classes = model.findArray(CLASSES).orElse(List.of()).stream().map(name -> name.asText()).toList();
        if (whole.isEmpty() && !classes.isEmpty() && !(classes.size() == 1 && classes.getFirst().equalsIgnoreCase(family.modelClass))) {
            throw model.refused(CLASSES, "is not supported for %s=%s (supported: %s)".formatted(MODEL_TYPE, type,
                    KNOWN.stream().map(Family::modelClass).collect(Collectors.joining(", "))));
        }
        return family;
    }

    private static String kind(String type, boolean nested) {
        if (Stream.of("moe", "mixtral", "deepseek", "gpt_oss", "dbrx", "jamba", "arctic", "grok", "llama4", "minimax")
                .anyMatch(type::contains)) {
            return ": a mixture of experts";
        }
        return nested || Stream.of("_vl", "vision", "llava", "mllama", "paligemma", "pixtral", "audio", "omni", "whisper", "gemma3n")
                .anyMatch(type::contains) ? ": a multimodal model, or a part of one" : "";
    }

    /** GGUF's words for a configuration. */
    GgufKeys keys(ConfigObject config) {
        GgufKeys keys = new GgufKeys(ggufName.apply(config));
        translator.translate(config, keys);
        return keys;
    }

    /** The refusal of a tensor that it has no use for. */
    ModelException unknown(String tensor, boolean nested) {
        return new ModelException("tensor %s is not part of a %s language model as this version knows it%s".formatted(
                GgufException.quote(tensor), modelTypes.iterator().next(), nested ? ": a multimodal model, which is not supported" : ""));
    }
}

package dev.tidestream.model.architecture.family;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

import dev.tidestream.model.architecture.Architecture;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.architecture.ModelPlan;
import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.architecture.Tie;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.ModelSource;

/** The architectures that can be run. A further one is a class that says what it is, and a line here. */
public final class Architectures {
    private static final List<Architecture> KNOWN = List.of(new Llama(), new Qwen2(), new Qwen3(), new Gemma(Gemma.Generation.ONE),
            new Gemma(Gemma.Generation.TWO), new Gemma(Gemma.Generation.THREE), new SmolLm3(), new Phi3(), new Gpt2(),
            new BitNet(BitNet.Generation.REPRODUCTION), new BitNet(BitNet.Generation.FIRST_UPLOAD), new BitNet(BitNet.Generation.RELEASE));

    /** Names of architectures that are mixtures of experts. */
    private static final Set<String> MIXTURES = Set.of("qwen2moe", "qwen3moe", "qwen3next", "deepseek", "deepseek2", "olmoe", "granitemoe",
            "granitehybrid", "phimoe", "llama4", "gpt-oss", "dbrx", "arctic", "grok", "jamba", "glm4moe", "ernie4_5-moe", "bailingmoe",
            "bailingmoe2", "hunyuan-moe", "minimax-m2", "dots1", "afmoe", "lfm2moe");

    /** Names of architectures that see or hear beside reading. */
    private static final Set<String> MULTIMODAL =
            Set.of("clip", "mmproj", "mllama", "qwen2vl", "qwen3vl", "qwen3vlmoe", "cogvlm", "whisper", "pixtral");

    private Architectures() {}

    /** All of them. */
    public static List<Architecture> known() {
        return KNOWN;
    }

    /**
     * What a model is made of.
     *
     * @throws ModelException if this is no model that can be run; names the file, and the key or tensor
     * @throws dev.tidestream.model.gguf.GgufException if metadata or the embedding is missing, or of the wrong type
     */
    public static ModelPlan plan(ModelSource file) {
        return plan(file, KNOWN);
    }

    /** The same, of these architectures. */
    static ModelPlan plan(ModelSource file, List<Architecture> known) {
        String name = file.metadata().string("general.architecture");
        Architecture architecture = known.stream().filter(candidate -> candidate.name().equals(name)).findFirst()
                .orElseThrow(() -> new ModelException("%s: general.architecture is not supported: %s%s (supported: %s)".formatted(
                        file.path(), GgufException.quote(name), kind(name),
                        known.stream().map(Architecture::name).collect(Collectors.joining(", ")))));
        try {
            ArchitectureKeys.check(file, architecture.name(), architecture.keys());
            Blueprint blueprint = architecture.read(file);
            Tie tie = TieRule.of(file, architecture.names());
            return new ModelPlan(new TensorPlan(tie.tied() ? blueprint.asTied() : blueprint, architecture.names()), tie);
        } catch (ModelException e) {
            throw new ModelException(file.path() + ": " + e.getMessage());
        }
    }

    private static String kind(String name) {
        return MIXTURES.contains(name) ? ", a mixture of experts" : MULTIMODAL.contains(name) ? ", a multimodal model" : "";
    }
}

package dev.tidestream.model.architecture.family;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

import dev.tidestream.model.architecture.Architecture;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.architecture.TensorNames;
import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufTensor;
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
     * What the model of a file is made of.
     *
     * @throws ModelException if this is no model that can be run; names the file, and the key or tensor
     * @throws dev.tidestream.model.gguf.GgufException if metadata or the embedding is missing, or of the wrong type
     */
    public static TensorPlan plan(ModelSource file) {
        return plan(file, KNOWN);
    }

    /** The same, of these architectures. */
    static TensorPlan plan(ModelSource file, List<Architecture> known) {
        String name = file.metadata().string("general.architecture");
        Architecture architecture = known.stream().filter(candidate -> candidate.name().equals(name)).findFirst()
                .orElseThrow(() -> new ModelException("%s: general.architecture is not supported: %s%s (supported: %s)".formatted(
                        file.path(), GgufException.quote(name), kind(name),
                        known.stream().map(Architecture::name).collect(Collectors.joining(", ")))));
        try {
            ArchitectureKeys.check(file, architecture.name(), architecture.keys());
            Blueprint blueprint = architecture.read(file);
            boolean twice = !blueprint.tied() && hasTheEmbeddingTwice(file, architecture.names());
            return new TensorPlan(twice ? blueprint.asTied() : blueprint, architecture.names());
        } catch (ModelException e) {
            throw new ModelException(file.path() + ": " + e.getMessage());
        }
    }

    private static String kind(String name) {
        return MIXTURES.contains(name) ? ", a mixture of experts" : MULTIMODAL.contains(name) ? ", a multimodal model" : "";
    }

    /**
     * Whether the file's output matrix is its embedding byte for byte, as of some that were written by tools that know no ties. It is
     * tied then: the same logits from one copy. Both are read to the first difference.
     */
    private static boolean hasTheEmbeddingTwice(ModelSource file, TensorNames names) {
        GgufTensor embedding = file.tensor(names.weight(TensorRole.EMBEDDING));
        Optional<GgufTensor> found = file.findTensor(names.weight(TensorRole.OUTPUT));
        if (found.isEmpty()) {
            return false;
        }
        GgufTensor output = found.get();
        if (output.type() != embedding.type() || !output.dimensions().equals(embedding.dimensions())) {
            return false;
        }
        try (Arena made = Arena.ofConfined()) {
            boolean same = file.data(embedding, made).mismatch(file.data(output, made)) == -1;
            file.release(output);
            return same;
        }
    }
}

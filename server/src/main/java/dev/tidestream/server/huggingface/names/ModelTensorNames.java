package dev.tidestream.server.huggingface.names;

import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds a model's tensor by a name of Hugging Face's libraries or of GGUF, whichever its files have. Names are what decides, never
 * shapes: a square matrix does not show whether it is transposed. Immutable; any thread.
 */
public final class ModelTensorNames {
    private static final Map<String, TensorNaming> NAMINGS = Map.ofEntries(
            Map.entry("llama", TensorNaming.LLAMA),
            Map.entry("smollm3", TensorNaming.LLAMA),
            Map.entry("qwen2", TensorNaming.HALVES),
            Map.entry("qwen3", TensorNaming.QWEN3),
            Map.entry("phi3", TensorNaming.PHI3),
            Map.entry("bitnet", TensorNaming.BITNET),
            Map.entry("bitnet-25", TensorNaming.BITNET),
            Map.entry("bitnet-b1.58", TensorNaming.BITNET),
            Map.entry("gemma", TensorNaming.GEMMA),
            Map.entry("gemma2", TensorNaming.GEMMA2),
            Map.entry("gemma3", TensorNaming.GEMMA3),
            Map.entry("gpt2", TensorNaming.GPT2));

    private final Optional<TensorNaming> naming;
    private final int headDim;
    private final Set<String> held;

    private ModelTensorNames(Optional<TensorNaming> naming, int headDim, Set<String> held) {
        this.naming = naming;
        this.headDim = headDim;
        this.held = held;
    }

    /**
     * Of a model.
     *
     * @param architecture GGUF's name for the family; of one that is not known here, GGUF's names alone are
     * @param headDim rows of a head of queries
     * @param held GGUF's names of all tensors that the model has, and of those that are other names of them
     */
    public static ModelTensorNames of(String architecture, int headDim, Set<String> held) {
        return new ModelTensorNames(Optional.ofNullable(NAMINGS.get(architecture)), headDim, Set.copyOf(held));
    }

    /** The tensor of a name; nothing if the model has none like it. */
    public Optional<NamedTensor> find(String name) {
        if (held.contains(name)) {
            return Optional.of(NamedTensor.own(name));
        }
        return naming.flatMap(names -> names.find(name).filter(found -> held.contains(found.ggufName())).map(found -> named(names, found)));
    }

    private NamedTensor named(TensorNaming names, TensorNaming.Name found) {
        boolean matrix = found.suffix().equals("weight") && !found.isNorm();
        return new NamedTensor(
                found.ggufName(),
                matrix && names.transposed().contains(found.stem()),
                matrix && names.interleaved() && found.isQueryOrKey() ? headDim : 0,
                names.oneAdded() && found.isNorm() ? 1 : 0);
    }

    /** The name that Hugging Face's libraries have for a tensor, as their folders have it; GGUF's own where they have none. */
    public String theirs(String tensor) {
        return naming.flatMap(names -> names.theirs(tensor)).orElse(tensor);
    }
}

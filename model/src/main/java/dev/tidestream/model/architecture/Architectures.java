package dev.tidestream.model.architecture;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;

/** The architectures that can be run. A further one is a class that says what it is, and a line here. */
public final class Architectures {
    private static final List<Architecture> KNOWN = List.of(new Llama(), new Qwen2(), new Qwen3(), new Gpt2());

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
    public static TensorPlan plan(GgufFile file) {
        return plan(file, KNOWN);
    }

    /** The same, of these architectures. */
    static TensorPlan plan(GgufFile file, List<Architecture> known) {
        String name = file.metadata().string("general.architecture");
        Architecture architecture = known.stream().filter(candidate -> candidate.name().equals(name)).findFirst()
                .orElseThrow(() -> new ModelException("%s: general.architecture is not supported: %s (supported: %s)".formatted(
                        file.path(), GgufException.quote(name), known.stream().map(Architecture::name).collect(Collectors.joining(", ")))));
        try {
            ArchitectureKeys.check(file, architecture.name(), architecture.keys());
            Blueprint blueprint = architecture.read(file);
            boolean twice = !blueprint.tied() && hasTheEmbeddingTwice(file, architecture.names());
            return new TensorPlan(twice ? blueprint.asTied() : blueprint, architecture.names());
        } catch (ModelException e) {
            throw new ModelException(file.path() + ": " + e.getMessage());
        }
    }

    /**
     * Whether the file's output matrix is its embedding byte for byte, as of some that were written by tools that know no ties. It is
     * tied then: the same logits from one copy. Both are read to the first difference.
     */
    private static boolean hasTheEmbeddingTwice(GgufFile file, TensorNames names) {
        GgufTensor embedding = file.tensor(names.weight(TensorRole.EMBEDDING));
        Optional<GgufTensor> found = file.findTensor(names.weight(TensorRole.OUTPUT));
        if (found.isEmpty()) {
            return false;
        }
        GgufTensor output = found.get();
        if (output.type() != embedding.type() || !output.dimensions().equals(embedding.dimensions())) {
            return false;
        }
        MemorySegment first = file.data(embedding);
        boolean same = first.mismatch(file.data(output)) == -1;
        file.release(output);
        return same;
    }
}

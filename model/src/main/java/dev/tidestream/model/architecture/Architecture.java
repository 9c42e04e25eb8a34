package dev.tidestream.model.architecture;

import java.util.Set;

import dev.tidestream.model.gguf.ModelSource;

/** A family of models: how its blueprint is read out of a file, and how its tensors are named there. */
public interface Architecture {

    /** What {@code general.architecture} says. */
    String name();

    /** Short names of the keys that {@link #read} reads, e.g. {@code block_count}; others are refused if they may change anything. */
    Set<String> keys();

    /**
     * Reads the metadata of a model of this family.
     *
     * @throws ModelException if a value cannot be; does not name the file
     * @throws dev.tidestream.model.gguf.GgufException if a key or tensor is missing, or of the wrong type
     */
    Blueprint read(ModelSource file);

    /** The names of GGUF files. */
    TensorNames names();
}

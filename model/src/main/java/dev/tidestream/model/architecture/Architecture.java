package dev.tidestream.model.architecture;

import dev.tidestream.model.gguf.GgufFile;

/** A family of models: how its blueprint is read out of a file, and how its tensors are named there. */
public interface Architecture {

    /** What {@code general.architecture} says. */
    String name();

    /**
     * Reads the metadata of a file of this family.
     *
     * @throws ModelException if a value cannot be; does not name the file
     * @throws dev.tidestream.model.gguf.GgufException if a key or tensor is missing, or of the wrong type
     */
    Blueprint read(GgufFile file);

    /** The names of GGUF files. */
    TensorNames names();
}

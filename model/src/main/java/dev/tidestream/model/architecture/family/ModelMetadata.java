package dev.tidestream.model.architecture.family;

import java.util.Optional;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufMetadata;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.ModelSource;

/**
 * The metadata under an architecture's prefix, by short name: {@code block_count} is {@code llama.block_count} in the file of a
 * LLaMA model. Numbers are checked against their range where they are read, so that a model is refused by key and value before
 * anything is computed from them. Immutable; any thread, while the file is open.
 *
 * <p>Methods throw {@link ModelException} for a value out of its range, which does not name the file, and
 * {@link dev.tidestream.model.gguf.GgufException} for a key that is missing or of another type.
 */
final class ModelMetadata {
    private static final int LEAST_CONTEXT = 2;

    private final ModelSource file;
    private final String prefix;
    private final GgufMetadata metadata;

    /** @param architecture {@code general.architecture} of the file */
    ModelMetadata(ModelSource file, String architecture) {
        this.file = file;
        this.prefix = architecture + ".";
        this.metadata = file.metadata();
    }

    ModelSource file() {
        return file;
    }

    /** The full key. */
    String key(String name) {
        return prefix + name;
    }

    boolean contains(String name) {
        return metadata.contains(key(name));
    }

    Optional<String> findString(String name) {
        return metadata.findString(key(name));
    }

    /** A number of things, from 1 to {@code most}. */
    int count(String name, long most) {
        return inRange(name, metadata.integer(key(name)), most);
    }

    /** A number of things, from 1 to {@code most}; {@code fallback} if the key is missing. */
    int count(String name, int fallback, long most) {
        return contains(name) ? inRange(name, metadata.integer(key(name)), most) : fallback;
    }

    private int inRange(String name, int value, long most) {
        if (value < 1 || value > most) {
            throw refused(name, value, most == Integer.MAX_VALUE ? "must be at least 1" : "must be from 1 to " + most);
        }
        return value;
    }

    /** A finite number above 0. */
    float positive(String name) {
        return aboveZero(name, metadata.float32(key(name)));
    }

    /** A finite number above 0; {@code fallback} if the key is missing. */
    float positive(String name, float fallback) {
        return metadata.findFloat32(key(name)).map(value -> aboveZero(name, value)).orElse(fallback);
    }

    /** A finite number; {@code fallback} if the key is missing. */
    float number(String name, float fallback) {
        float value = metadata.findFloat32(key(name)).orElse(fallback);
        if (!Float.isFinite(value)) {
            throw refused(name, value, "must be a finite number");
        }
        return value;
    }

    /** A finite number from 0 on; 0 if the key is missing. */
    float notNegative(String name) {
        float value = number(name, 0);
        if (value < 0) {
            throw refused(name, value, "must be a finite number from 0 on");
        }
        return value;
    }

    /** Positions that a query sees, from {@code attention.sliding_window}; 0 for all, which is also what a window as long as the context means. */
    int window() {
        int window = contains("attention.sliding_window") ? metadata.integer(key("attention.sliding_window")) : 0;
        if (window < 0) {
            throw refused("attention.sliding_window", window, "must be from 0 on");
        }
        return window >= contextLength() ? 0 : window;
    }

    private float aboveZero(String name, float value) {
        if (!(value > 0) || !Float.isFinite(value)) {
            throw refused(name, value, "must be a finite number above 0");
        }
        return value;
    }

    /** Elements of an attention head: {@code attention.key_length}, or as many as the hidden size has per head. */
    int headDim() {
        int hiddenSize = count("embedding_length", Integer.MAX_VALUE);
        int heads = count("attention.head_count", Integer.MAX_VALUE);
        int headDim = count("attention.key_length", hiddenSize / heads, Integer.MAX_VALUE);
        if (headDim == 0) {
            throw refused("attention.head_count", heads, "is more than %s=%d".formatted(key("embedding_length"), hiddenSize));
        }
        return headDim;
    }

    /** {@code general.name}, or the file's. */
    String modelName() {
        return metadata.findString("general.name").orElse(String.valueOf(file.path().getFileName()));
    }

    /** How many layers there are; each has a tensor at least. */
    int layers() {
        return count("block_count", file.tensors().size());
    }

    /** Most positions of a sequence. */
    int contextLength() {
        int contextLength = count("context_length", Integer.MAX_VALUE);
        if (contextLength < LEAST_CONTEXT) {
            throw refused("context_length", contextLength, "is too short: at least %d positions are needed,"
                    .formatted(LEAST_CONTEXT) + " one for a prompt and one for what follows");
        }
        return contextLength;
    }

    boolean hasTensor(String tensorName) {
        return file.findTensor(tensorName).isPresent();
    }

    /** Rows of a tensor. */
    int rows(String tensorName) {
        GgufTensor tensor = file.tensor(tensorName);
        if (tensor.rows() > Integer.MAX_VALUE) {
            throw new ModelException("tensor %s is too large: shape=%s".formatted(tensorName, tensor.shape()));
        }
        return (int) tensor.rows();
    }

    /** The refusal of a value: {@code key=value why}. */
    ModelException refused(String name, Object value, String why) {
        return new ModelException("%s=%s %s".formatted(
                GgufException.quote(key(name)), GgufException.quote(String.valueOf(value)), why));
    }
}

package dev.tidestream.model.architecture;

import java.util.Optional;
import java.util.OptionalInt;

import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;

/** The metadata of one architecture in a GGUF file: keys that begin with its name. */
record GgufKeys(GgufFile file, String architecture) {

    private String key(String name) {
        return architecture + "." + name;
    }

    int integer(String name) {
        return file.metadata().integer(key(name));
    }

    OptionalInt findInteger(String name) {
        return file.metadata().findInteger(key(name));
    }

    float float32(String name) {
        return file.metadata().float32(key(name));
    }

    Optional<Float> findFloat32(String name) {
        return file.metadata().findFloat32(key(name));
    }

    Optional<String> findString(String name) {
        return file.metadata().findString(key(name));
    }

    /** {@code general.name}, or the file's. */
    String modelName() {
        return file.metadata().findString("general.name").orElse(String.valueOf(file.path().getFileName()));
    }

    /** Rows of a tensor. */
    int rows(String tensorName) {
        GgufTensor tensor = file.tensor(tensorName);
        try {
            return Math.toIntExact(tensor.rows());
        } catch (ArithmeticException e) {
            throw new ModelException("%s is too large: shape=%s".formatted(tensorName, tensor.shape()));
        }
    }

    boolean hasTensor(String tensorName) {
        return file.findTensor(tensorName).isPresent();
    }

    /** How many layers there are; each has a tensor at least. */
    int layers() {
        int layers = integer("block_count");
        Blueprint.positive("layers", layers);
        if (layers > file.tensors().size()) {
            throw new ModelException("%s=%d, but the file has no more than %d tensors".formatted(key("block_count"), layers, file.tensors().size()));
        }
        return layers;
    }

    /** Says which key has a value that is understood but not supported. */
    ModelException unsupported(String name, Object value, String what) {
        return new ModelException("%s: %s=%s".formatted(what, key(name), value));
    }

    /** The full name of a key, for messages. */
    String name(String name) {
        return key(name);
    }
}

package dev.tidestream.model.architecture.family;

import java.util.Set;

import dev.tidestream.model.architecture.Architecture;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.Rotation;
import dev.tidestream.model.architecture.TensorNames;
import dev.tidestream.model.gguf.ModelSource;

/** Qwen 2 and 2.5 (Yang et al. 2024): a bias of queries, keys and values, rotation in halves. */
final class Qwen2 implements Architecture {

    @Override
    public String name() {
        return "qwen2";
    }

    @Override
    public Set<String> keys() {
        return LlamaFamily.KEYS;
    }

    @Override
    public Blueprint read(ModelSource file) {
        return LlamaFamily.read(file, this, Rotation.Pairing.HALVES, (attention, norm) -> attention.withBias());
    }

    @Override
    public TensorNames names() {
        return LlamaFamily.NAMES;
    }
}

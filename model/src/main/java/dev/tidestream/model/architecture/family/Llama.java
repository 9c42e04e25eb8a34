package dev.tidestream.model.architecture.family;

import java.util.Set;

import dev.tidestream.model.architecture.Architecture;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.Rotation;
import dev.tidestream.model.architecture.TensorNames;
import dev.tidestream.model.gguf.ModelSource;

/**
 * LLaMA 1 to 3 and what has the same form: Mistral without a window, TinyLlama, SmolLM 1 and 2. Their GGUF files have the rows of
 * queries and keys in an order of which neighbours are rotated.
 */
final class Llama implements Architecture {

    @Override
    public String name() {
        return "llama";
    }

    @Override
    public Set<String> keys() {
        return LlamaFamily.KEYS;
    }

    @Override
    public Blueprint read(ModelSource file) {
        return LlamaFamily.read(file, this, Rotation.Pairing.INTERLEAVED, (attention, norm) -> attention);
    }

    @Override
    public TensorNames names() {
        return LlamaFamily.NAMES;
    }
}

package dev.tidestream.model.transformer;

import java.lang.foreign.Arena;

import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.WorkerTeam;

/** A model's blueprint and weights, and the off-heap memory they live in. */
public final class LoadedModel implements AutoCloseable {
    private final ModelConfig config;
    private final ModelWeights weights;
    private final Kernels kernels;
    private final Arena arena;

    LoadedModel(ModelConfig config, ModelWeights weights, Kernels kernels, Arena arena) {
        this.config = config;
        this.weights = weights;
        this.kernels = kernels;
        this.arena = arena;
    }

    public ModelConfig config() {
        return config;
    }

    public ModelWeights weights() {
        return weights;
    }

    /** A forward pass over these weights, with scratch space of its own. */
    public Transformer newTransformer(WorkerTeam team, ActivationPrecision activations, int maxRows) {
        return new Transformer(config, weights, kernels, team, activations, maxRows);
    }

    /** Gives the weights' memory back. Nobody may compute with them any more. */
    @Override
    public void close() {
        arena.close();
    }
}

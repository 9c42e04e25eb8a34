package dev.tidestream.model.transformer;

import java.util.List;

import dev.tidestream.model.tied.EmbeddingLayer;

/**
 * All weights of a model: immutable, shared by any number of threads; matrices are off-heap in the arena they were loaded into.
 *
 * @param embedding both ends
 * @param layers (L)
 * @param outputNorm (H)
 * @param rope frequencies of the rotary embedding
 */
public record ModelWeights(EmbeddingLayer embedding, List<LayerWeights> layers, float[] outputNorm, RotaryEmbedding rope) {

    public ModelWeights {
        layers = List.copyOf(layers);
    }

    /** Bytes of the matrices, off-heap. */
    public long bytes() {
        return embedding.bytes() + layers.stream().mapToLong(LayerWeights::bytes).sum();
    }
}

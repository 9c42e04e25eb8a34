package dev.tidestream.model.transformer;

import java.util.List;
import java.util.Optional;

import dev.tidestream.model.tensor.Norm;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tied.EmbeddingLayer;

/**
 * All weights of a model: immutable, shared by any number of threads; matrices are off-heap in the arena they were loaded into.
 *
 * @param embedding both ends
 * @param positions learned ones, (positions, H)
 * @param layers (L)
 * @param outputNorm (H)
 * @param rotations tables of the blueprint's rotations, in its order
 */
public record ModelWeights(
        EmbeddingLayer embedding,
        Optional<PanelMatrix> positions,
        List<LayerWeights> layers,
        Norm outputNorm,
        List<RotaryEmbedding> rotations) {

    public ModelWeights {
        layers = List.copyOf(layers);
        rotations = List.copyOf(rotations);
    }

    /** Bytes of the matrices, off-heap. */
    public long bytes() {
        return embedding.bytes() + positions.map(PanelMatrix::bytes).orElse(0L) + layers.stream().mapToLong(LayerWeights::bytes).sum();
    }
}

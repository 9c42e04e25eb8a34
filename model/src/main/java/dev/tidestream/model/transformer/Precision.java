package dev.tidestream.model.transformer;

import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.HeadMode;

/**
 * How precisely a forward pass computes. Chosen once per process, for all versions of the weights: a stream's bits depend on it.
 *
 * @param body what quantised matrices of the layers are multiplied with
 * @param head what a quantised head is multiplied with in mode {@link HeadMode#PACKED}
 * @param kvType how keys and values are stored
 */
public record Precision(ActivationPrecision body, ActivationPrecision head, KvType kvType) {

    /** With a head that takes float32, whatever the body takes: the default. */
    public static Precision withExactHead(ActivationPrecision body, KvType kvType) {
        return new Precision(body, ActivationPrecision.F32, kvType);
    }

    /** What the logits of these weights are made of in a mode: float32 if it is dense, or the head's format is not quantised. */
    public ActivationPrecision inHead(EmbeddingLayer layer, HeadMode mode) {
        return mode == HeadMode.PACKED && layer.quantised() ? head : ActivationPrecision.F32;
    }
}

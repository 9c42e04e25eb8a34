package dev.tidestream.model.transformer;

import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufMetadata;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.tensor.KvType;

/**
 * The blueprint of a LLaMA-family model (Touvron et al. 2023): sizes and constants, no weights and no state.
 *
 * @param name {@code general.name}, or the file's
 * @param vocabularySize V
 * @param hiddenSize H
 * @param layers L
 * @param heads query heads
 * @param kvHeads key/value heads (grouped-query attention); divides {@code heads}
 * @param headDim elements per head; even
 * @param feedForwardSize F
 * @param contextLength most positions of a sequence
 * @param rmsEps added to the mean square
 * @param ropeTheta base of the rotary frequencies
 * @param ropeDim elements per head that are rotated; even
 * @param ropePositionScale positions are multiplied by it (linear scaling); 1 for none
 * @param tied whether the output head is the embedding
 */
public record ModelConfig(
        String name,
        int vocabularySize,
        int hiddenSize,
        int layers,
        int heads,
        int kvHeads,
        int headDim,
        int feedForwardSize,
        int contextLength,
        float rmsEps,
        float ropeTheta,
        int ropeDim,
        float ropePositionScale,
        boolean tied) {
    private static final String ARCHITECTURE = "llama";

    public ModelConfig {
        positive("layers", layers);
        positive("heads", heads);
        positive("kv heads", kvHeads);
        positive("hidden size", hiddenSize);
        positive("feed-forward size", feedForwardSize);
        positive("context length", contextLength);
        positive("vocabulary", vocabularySize);
        if (heads % kvHeads != 0) {
            throw new ModelException("query heads must be a multiple of kv heads: heads=%d, kvHeads=%d".formatted(heads, kvHeads));
        }
        if (headDim < 2 || headDim % 2 != 0 || ropeDim < 2 || ropeDim % 2 != 0 || ropeDim > headDim) {
            throw new ModelException("head size and rotated size must be even: headDim=%d, ropeDim=%d".formatted(headDim, ropeDim));
        }
        if (!(rmsEps >= 0) || !Float.isFinite(rmsEps) || !(ropeTheta > 0) || !Float.isFinite(ropeTheta)
                || !(ropePositionScale > 0)) {
            throw new ModelException("constants out of range: rmsEps=%s, ropeTheta=%s, ropePositionScale=%s"
                    .formatted(rmsEps, ropeTheta, ropePositionScale));
        }
    }

    private static void positive(String what, int value) {
        if (value < 1) {
            throw new ModelException("%s must be at least 1: %d".formatted(what, value));
        }
    }

    /** Elements of all query heads. */
    public int queryDim() {
        return heads * headDim;
    }

    /** Elements of all key (or value) heads. */
    public int kvDim() {
        return kvHeads * headDim;
    }

    /** What a KV cache of this model looks like. */
    public KvCacheShape kvCacheShape(KvType type) {
        return new KvCacheShape(layers, kvHeads, headDim, type);
    }

    /**
     * Reads the metadata of a file.
     *
     * @throws ModelException if the architecture is not LLaMA, or a value cannot be
     * @throws dev.tidestream.model.gguf.GgufException if a key is missing or of the wrong type
     */
    public static ModelConfig fromGguf(GgufFile file) {
        GgufMetadata metadata = file.metadata();
        String architecture = metadata.string("general.architecture");
        if (!architecture.equals(ARCHITECTURE)) {
            throw new ModelException("%s: general.architecture is not supported: %s (supported: %s)"
                    .formatted(file.path(), architecture, ARCHITECTURE));
        }
        if (metadata.findInteger("llama.expert_count").orElse(0) > 0) {
            throw new ModelException("%s: mixture of experts is not supported: llama.expert_count=%d"
                    .formatted(file.path(), metadata.integer("llama.expert_count")));
        }
        int hiddenSize = metadata.integer("llama.embedding_length");
        int heads = metadata.integer("llama.attention.head_count");
        if (hiddenSize < 1 || heads < 1) {
            throw new ModelException("%s: llama.embedding_length=%d, llama.attention.head_count=%d: both must be at least 1"
                    .formatted(file.path(), hiddenSize, heads));
        }
        int headDim = metadata.findInteger("llama.attention.key_length").orElse(hiddenSize / heads);
        int valueDim = metadata.findInteger("llama.attention.value_length").orElse(headDim);
        if (valueDim != headDim) {
            throw new ModelException("%s: keys and values of different length are not supported: key_length=%d, value_length=%d"
                    .formatted(file.path(), headDim, valueDim));
        }
        GgufTensor embedding = file.tensor(TensorPlan.EMBEDDING);
        float positionScale = ropePositionScale(file);
        try {
            return new ModelConfig(
                    metadata.findString("general.name").orElse(String.valueOf(file.path().getFileName())),
                    Math.toIntExact(embedding.rows()),
                    hiddenSize,
                    metadata.integer("llama.block_count"),
                    heads,
                    metadata.findInteger("llama.attention.head_count_kv").orElse(heads),
                    headDim,
                    metadata.integer("llama.feed_forward_length"),
                    metadata.integer("llama.context_length"),
                    metadata.float32("llama.attention.layer_norm_rms_epsilon"),
                    metadata.findFloat32("llama.rope.freq_base").orElse(10_000f),
                    metadata.findInteger("llama.rope.dimension_count").orElse(headDim),
                    positionScale,
                    file.findTensor(TensorPlan.OUTPUT).isEmpty());
        } catch (ModelException e) {
            throw new ModelException(file.path() + ": " + e.getMessage());
        } catch (ArithmeticException e) {
            throw new ModelException("%s: %s is too large: shape=%s"
                    .formatted(file.path(), embedding.name(), embedding.shape()));
        }
    }

    private static float ropePositionScale(GgufFile file) {
        GgufMetadata metadata = file.metadata();
        String type = metadata.findString("llama.rope.scaling.type").orElse("none");
        return switch (type) {
            case "none" -> 1f;
            case "linear" -> 1f / metadata.float32("llama.rope.scaling.factor");
            default -> throw new ModelException(
                    "%s: llama.rope.scaling.type is not supported: %s (supported: none, linear)".formatted(file.path(), type));
        };
    }
}

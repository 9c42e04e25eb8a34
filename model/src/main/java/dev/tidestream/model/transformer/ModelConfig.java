package dev.tidestream.model.transformer;

import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufFile;
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
    private static final float DEFAULT_ROPE_THETA = 10_000f;
    private static final int LEAST_CONTEXT = 2;
    private static final int MAX_SIZE = Integer.MAX_VALUE;

    /** Short names of the keys that are read here. */
    private static final Set<String> KEYS = Stream.concat(RopeScaling.KEYS.stream(), Stream.of(
            "context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count",
            "attention.head_count_kv", "attention.key_length", "attention.value_length", "attention.layer_norm_rms_epsilon",
            "rope.freq_base", "rope.dimension_count")).collect(Collectors.toUnmodifiableSet());

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
     * @throws ModelException if the architecture is not LLaMA, a value is out of its range, or a key asks for something that is
     *     not computed here; names key and value
     * @throws dev.tidestream.model.gguf.GgufException if a key is missing or of the wrong type
     */
    public static ModelConfig fromGguf(GgufFile file) {
        String architecture = file.metadata().string("general.architecture");
        if (!architecture.equals(ARCHITECTURE)) {
            throw new ModelException("%s: general.architecture is not supported: %s (supported: %s)"
                    .formatted(file.path(), GgufException.quote(architecture), ARCHITECTURE));
        }
        ArchitectureKeys.check(file, ARCHITECTURE, KEYS);
        ModelMetadata metadata = new ModelMetadata(file, ARCHITECTURE);
        int hiddenSize = metadata.count("embedding_length", MAX_SIZE);
        int heads = metadata.count("attention.head_count", MAX_SIZE);
        int kvHeads = metadata.count("attention.head_count_kv", heads, MAX_SIZE);
        int headDim = metadata.headDim();
        if (heads % kvHeads != 0) {
            throw metadata.refused("attention.head_count_kv", kvHeads,
                    "does not divide %s=%d".formatted(metadata.key("attention.head_count"), heads));
        }
        if ((long) heads * headDim > MAX_SIZE || headDim % 2 != 0) {
            throw metadata.refused("attention.head_count", heads,
                    "does not fit heads of %d elements (%s, or its share of %s=%d): they must be of an even size".formatted(
                            headDim, metadata.key("attention.key_length"), metadata.key("embedding_length"), hiddenSize));
        }
        if (metadata.count("attention.value_length", headDim, MAX_SIZE) != headDim) {
            throw metadata.refused("attention.value_length", metadata.count("attention.value_length", MAX_SIZE),
                    "is not supported: keys and values of different length (%s=%d)"
                            .formatted(metadata.key("attention.key_length"), headDim));
        }
        int ropeDim = metadata.count("rope.dimension_count", headDim, MAX_SIZE);
        if (ropeDim % 2 != 0 || ropeDim > headDim) {
            throw metadata.refused("rope.dimension_count", ropeDim,
                    "is odd, or more than the %d elements of a head: pairs of them are turned".formatted(headDim));
        }
        int contextLength = metadata.count("context_length", MAX_SIZE);
        if (contextLength < LEAST_CONTEXT) {
            throw metadata.refused("context_length", contextLength, "is too short: at least %d positions are needed,"
                    .formatted(LEAST_CONTEXT) + " one for a prompt and one for what follows");
        }
        return new ModelConfig(
                file.metadata().findString("general.name").orElse(String.valueOf(file.path().getFileName())),
                vocabularySize(file),
                hiddenSize,
                metadata.count("block_count", file.tensors().size()), // a layer has tensors
                heads,
                kvHeads,
                headDim,
                metadata.count("feed_forward_length", MAX_SIZE),
                contextLength,
                metadata.positive("attention.layer_norm_rms_epsilon"),
                metadata.positive("rope.freq_base", DEFAULT_ROPE_THETA),
                ropeDim,
                RopeScaling.positionScale(metadata),
                file.findTensor(TensorPlan.OUTPUT).isEmpty());
    }

    /** Rows of the embedding: those of tokens, and of padding behind them. */
    private static int vocabularySize(GgufFile file) {
        GgufTensor embedding = file.tensor(TensorPlan.EMBEDDING);
        if (embedding.rows() > MAX_SIZE) {
            throw new ModelException("%s: tensor %s is too large: shape=%s"
                    .formatted(file.path(), embedding.name(), embedding.shape()));
        }
        return (int) embedding.rows();
    }
}

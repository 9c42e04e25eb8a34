package dev.tidestream.model.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.tensor.KQuants;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.MatrixGroup;
import dev.tidestream.model.tensor.NonFiniteWeightException;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.PanelPacker;
import dev.tidestream.model.tensor.TensorFormat;
import dev.tidestream.model.tensor.Vectors;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.TiedEmbedding;
import dev.tidestream.model.tied.TiedWeightConfig;
import dev.tidestream.model.tied.TiedWeightException;
import dev.tidestream.model.tied.UntiedEmbedding;

/**
 * Builds a model from a GGUF file: every tensor is looked up by name, checked against the blueprint and repacked into panels.
 * A tensor that is not used is an error, too: it would mean a model that is computed differently from how it was trained.
 */
public final class ModelLoader {
    static final String EMBEDDING = "token_embd.weight";
    static final String OUTPUT = "output.weight";
    private static final String ROPE_FACTORS = "rope_freqs.weight";

    private final GgufFile file;
    private final ModelConfig config;
    private final Kernels kernels;
    private final WorkerTeam team;
    private final ProgressListener progress;
    private final Arena arena;
    private final Set<String> used = new HashSet<>();
    private final long totalBytes;
    private long doneBytes;

    private ModelLoader(GgufFile file, Kernels kernels, WorkerTeam team, ProgressListener progress, Arena arena) {
        this.file = file;
        this.config = ModelConfig.fromGguf(file);
        this.kernels = kernels;
        this.team = team;
        this.progress = progress;
        this.arena = arena;
        this.totalBytes = file.tensors().values().stream().mapToLong(GgufTensor::bytes).sum();
    }

    /** Told after each tensor how far loading has come. */
    @FunctionalInterface
    public interface ProgressListener {
        void loaded(long doneBytes, long totalBytes);

        /** Tells nobody. */
        ProgressListener NONE = (doneBytes, totalBytes) -> {};
    }

    /**
     * Loads and repacks a model. The file may be closed afterwards.
     *
     * @throws ModelException if this is no model that can be run; names file, tensor or key, and value
     * @throws dev.tidestream.model.gguf.GgufException if metadata is missing or of the wrong type
     */
    @SuppressWarnings("MustBeClosedChecker") // the model that is returned owns the arena
    public static LoadedModel load(GgufFile file, Kernels kernels, WorkerTeam team, ProgressListener progress) {
        Arena arena = Arena.ofShared();
        boolean done = false;
        try {
            ModelLoader loader = new ModelLoader(file, kernels, team, progress, arena);
            LoadedModel model = new LoadedModel(loader.config, loader.weights(), kernels, arena);
            done = true;
            return model;
        } catch (TiedWeightException | NonFiniteWeightException e) {
            throw new ModelException("%s: %s".formatted(file.path(), e.getMessage()));
        } finally {
            if (!done) {
                arena.close();
            }
        }
    }

    private ModelWeights weights() {
        EmbeddingLayer embedding = embedding();
        List<LayerWeights> layers = new ArrayList<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            layers.add(layer("blk." + layer + "."));
        }
        float[] outputNorm = vector("output_norm.weight", config.hiddenSize());
        float[] factors = file.findTensor(ROPE_FACTORS).isPresent()
                ? vector(ROPE_FACTORS, config.ropeDim() / 2) : new float[0];
        var rope = new RotaryEmbedding(config.ropeDim(), config.ropeTheta(), config.ropePositionScale(), factors);
        Optional<String> unused = file.tensors().keySet().stream().filter(name -> !used.contains(name)).findFirst();
        if (unused.isPresent()) {
            throw new ModelException("%s: tensor %s is not part of a LLaMA model as this version knows it"
                    .formatted(file.path(), unused.get()));
        }
        return new ModelWeights(embedding, layers, outputNorm, rope);
    }

    private LayerWeights layer(String prefix) {
        int hiddenSize = config.hiddenSize();
        return new LayerWeights(
                vector(prefix + "attn_norm.weight", hiddenSize),
                new MatrixGroup(List.of(
                        matrix(prefix + "attn_q.weight", config.queryDim(), hiddenSize),
                        matrix(prefix + "attn_k.weight", config.kvDim(), hiddenSize),
                        matrix(prefix + "attn_v.weight", config.kvDim(), hiddenSize))),
                MatrixGroup.of(matrix(prefix + "attn_output.weight", hiddenSize, config.queryDim())),
                vector(prefix + "ffn_norm.weight", hiddenSize),
                new MatrixGroup(List.of(
                        matrix(prefix + "ffn_gate.weight", config.feedForwardSize(), hiddenSize),
                        matrix(prefix + "ffn_up.weight", config.feedForwardSize(), hiddenSize))),
                MatrixGroup.of(matrix(prefix + "ffn_down.weight", hiddenSize, config.feedForwardSize())));
    }

    private EmbeddingLayer embedding() {
        GgufTensor tensor = file.tensor(EMBEDDING);
        if (config.tied()) {
            String dtype = (tensor.type() == GgmlType.Q6_K ? TensorFormat.F32 : format(tensor)).name();
            TiedWeightConfig tied =
                    TiedWeightConfig.validate(tensor.dimensions().reversed(), dtype, config.hiddenSize(), true, false);
            return new TiedEmbedding(tied, matrix(EMBEDDING, tied.vocabularySize(), tied.hiddenSize()), kernels);
        }
        return new UntiedEmbedding(
                matrix(EMBEDDING, config.vocabularySize(), config.hiddenSize()),
                matrix(OUTPUT, config.vocabularySize(), config.hiddenSize()),
                kernels);
    }

    private PanelMatrix matrix(String name, int rows, int columns) {
        GgufTensor tensor = tensor(name, List.of((long) columns, (long) rows));
        PanelMatrix matrix;
        if (tensor.type() == GgmlType.Q6_K) {
            try (Arena temporary = Arena.ofShared()) {
                MemorySegment unpacked = temporary.allocate((long) rows * columns * Float.BYTES, Float.BYTES);
                KQuants.unpackQ6K(file.data(tensor), unpacked);
                matrix = PanelPacker.pack(name, TensorFormat.F32, rows, columns, unpacked, arena, team);
            }
        } else {
            matrix = PanelPacker.pack(name, format(tensor), rows, columns, file.data(tensor), arena, team);
        }
        report(tensor);
        return matrix;
    }

    private float[] vector(String name, int length) {
        GgufTensor tensor = tensor(name, List.of((long) length));
        MemorySegment data = file.data(tensor);
        float[] out = Vectors.toFloats(format(tensor), data, length);
        for (int i = 0; i < length; i++) {
            if (!Float.isFinite(out[i])) {
                throw new ModelException("%s: tensor %s is not finite at %d: %s".formatted(file.path(), name, i, out[i]));
            }
        }
        report(tensor);
        return out;
    }

    private GgufTensor tensor(String name, List<Long> dimensions) {
        GgufTensor tensor = file.tensor(name);
        if (!tensor.dimensions().equals(dimensions)) {
            throw new ModelException("%s: tensor %s has shape %s, expected %s"
                    .formatted(file.path(), name, tensor.shape(), dimensions));
        }
        used.add(name);
        return tensor;
    }

    private TensorFormat format(GgufTensor tensor) {
        GgmlType type = tensor.type();
        return switch (type) {
            case F32 -> TensorFormat.F32;
            case F16 -> TensorFormat.F16;
            case BF16 -> TensorFormat.BF16;
            case Q8_0 -> TensorFormat.Q8_0;
            case Q4_0 -> TensorFormat.Q4_0;
            default -> throw new ModelException("%s: tensor %s has a type this version cannot compute with: %s (supported: %s, Q6_K)"
                    .formatted(file.path(), tensor.name(), type, Arrays.toString(TensorFormat.values())));
        };
    }

    private void report(GgufTensor tensor) {
        doneBytes += tensor.bytes();
        progress.loaded(doneBytes, totalBytes);
    }
}

package dev.tidestream.model.transformer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.TiedWeightConfig;
import dev.tidestream.model.tied.TiedWeightException;

/**
 * Builds a model from a GGUF file: every tensor is looked up by name, checked against the blueprint and repacked into panels.
 * A tensor that is not used is an error, too: it would mean a model that is computed differently from how it was trained.
 */
public final class ModelLoader {
    private final GgufFile file;
    private final ModelConfig config;
    private final SequencedMap<String, List<Long>> plan;
    private final TensorReader reader;

    /** @throws ModelException if this is no model that can be run */
    public ModelLoader(GgufFile file) {
        this.file = file;
        this.config = ModelConfig.fromGguf(file);
        this.plan = TensorPlan.of(config, file.findTensor(TensorPlan.ROPE_FACTORS).isPresent());
        this.reader = new TensorReader(file);
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
    public static LoadedModel load(GgufFile file, Kernels kernels, WorkerTeam team, ProgressListener progress) {
        return new ModelLoader(file).load(kernels, team, progress);
    }

    /** The file that is read. */
    public GgufFile file() {
        return file;
    }

    /** Loads and repacks all of it. */
    public LoadedModel load(Kernels kernels, WorkerTeam team, ProgressListener progress) {
        checkTiedWeight();
        List<OwnedTensor> owned = new ArrayList<>();
        boolean done = false;
        try {
            SequencedMap<String, OwnedTensor> tensors = new LinkedHashMap<>();
            long totalBytes = file.tensors().values().stream().mapToLong(GgufTensor::bytes).sum();
            long doneBytes = 0;
            for (Map.Entry<String, List<Long>> planned : plan.entrySet()) {
                OwnedTensor tensor = reader.read(planned.getKey(), planned.getValue(), team);
                owned.add(tensor);
                tensors.put(planned.getKey(), tensor);
                doneBytes += file.tensor(planned.getKey()).bytes();
                progress.loaded(doneBytes, totalBytes);
            }
            requireAllUsed();
            LoadedModel model = LoadedModel.of(config, tensors, kernels);
            done = true;
            return model;
        } finally {
            if (!done) {
                owned.forEach(OwnedTensor::close);
            }
        }
    }

    /**
     * A tensor as the file has it, in memory of its own.
     *
     * @throws IllegalArgumentException if the model has no tensor of this name
     */
    public OwnedTensor read(String name, WorkerTeam team) {
        List<Long> shape = plan.get(name);
        if (shape == null) {
            throw new IllegalArgumentException("no tensor of the model: " + name);
        }
        return reader.read(name, shape, team);
    }

    private void checkTiedWeight() {
        if (config.tied()) {
            GgufTensor tensor = file.tensor(TensorPlan.EMBEDDING);
            String dtype = reader.format(tensor).name();
            try {
                TiedWeightConfig.validate(tensor.dimensions().reversed(), dtype, config.hiddenSize(), true, false);
            } catch (TiedWeightException e) {
                throw new ModelException("%s: %s".formatted(file.path(), e.getMessage()));
            }
        }
    }

    private void requireAllUsed() {
        Optional<String> unused = file.tensors().keySet().stream().filter(name -> !plan.containsKey(name)).findFirst();
        if (unused.isPresent()) {
            throw new ModelException("%s: tensor %s is not part of a LLaMA model as this version knows it"
                    .formatted(file.path(), unused.get()));
        }
    }
}

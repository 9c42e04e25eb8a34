package dev.tidestream.server.cli;

import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.Tokenizers;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelConfig;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.engine.KernelWorkers;
import dev.tidestream.server.engine.TokenEngine;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;

/** A model, loaded, with an engine running over it. Closing it ends the engine, the threads and the memory, in this order. */
final class RunningModel implements AutoCloseable {
    /** The version of the weights as they stand in the file. */
    private static final long BASE_VERSION = 1;

    private final ModelConfig config;
    private final long parameters;
    private final Tokenizer tokenizer;
    private final KernelWorkers workers;
    private final CurrentEpoch epochs;
    private final TokenEngine engine;

    private RunningModel(
            ModelConfig config, long parameters, Tokenizer tokenizer, KernelWorkers workers, CurrentEpoch epochs, TokenEngine engine) {
        this.config = config;
        this.parameters = parameters;
        this.tokenizer = tokenizer;
        this.workers = workers;
        this.epochs = epochs;
        this.engine = engine;
    }

    /** Loads the model and starts the engine. */
    static RunningModel start(ModelOption model, ComputeOptions compute, EngineConfig engineConfig) {
        try (GgufFile file = model.open()) {
            Tokenizer tokenizer = Tokenizers.fromGguf(file.metadata());
            KernelWorkers workers = new KernelWorkers(compute.threads());
            LoadedModel loaded = null;
            try {
                loaded = compute.load(file, workers);
                int maxRows = Math.max(engineConfig.maxSequences(), ComputeOptions.MAX_ROWS);
                CurrentEpoch epochs = new CurrentEpoch(new ModelEpoch(
                        BASE_VERSION, loaded.newTransformer(workers, compute.activations(), maxRows), loaded::close));
                return new RunningModel(
                        loaded.config(),
                        file.tensors().values().stream().mapToLong(GgufTensor::elements).sum(),
                        tokenizer,
                        workers,
                        epochs,
                        startEngine(engineConfig, tokenizer, epochs));
            } catch (RuntimeException | OutOfMemoryError e) {
                workers.close();
                if (loaded != null) {
                    loaded.close();
                }
                throw e;
            }
        }
    }

    private static TokenEngine startEngine(EngineConfig config, Tokenizer tokenizer, CurrentEpoch epochs) {
        try {
            return TokenEngine.start(config, tokenizer, epochs);
        } catch (IllegalArgumentException e) { // limits that do not fit this model
            throw new CliException(String.valueOf(e.getMessage()));
        }
    }

    ModelConfig config() {
        return config;
    }

    /** Weights of the model. */
    long parameters() {
        return parameters;
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    TokenEngine engine() {
        return engine;
    }

    /** The newest version of the weights. */
    long weightsVersion() {
        return epochs.weightsVersion();
    }

    @Override
    public void close() {
        engine.close();
        epochs.close();
        workers.close();
    }
}

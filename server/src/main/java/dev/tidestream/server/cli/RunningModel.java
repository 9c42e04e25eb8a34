package dev.tidestream.server.cli;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.HiddenStates;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.Tokenizers;
import dev.tidestream.model.transformer.ForwardScratch;
import dev.tidestream.model.transformer.HeadProbes;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.engine.EngineStats;
import dev.tidestream.server.engine.KernelWorkers;
import dev.tidestream.server.engine.TokenEngine;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Reclaimer;
import dev.tidestream.server.metrics.HeadTimings;
import dev.tidestream.server.metrics.StreamTimings;
import dev.tidestream.server.pacing.StepBreak;
import dev.tidestream.server.scheduler.TokenObserver;

/**
 * A model, loaded, with an engine running over it. Closing it ends the engine, the threads and the memory, in this order. The
 * model
 * file stays open: versions are built on top of it.
 */
final class RunningModel implements AutoCloseable {
    /** Hidden states that are kept, to compare heads on. */
    private static final int RECENT_STATES = 8;
    private static final long LONGEST_STEP_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long MOMENT_NS = TimeUnit.MICROSECONDS.toNanos(100);

    private final GgufFile file;
    private final ModelLoader loader;
    private final KernelWarmUp kernelWarmUp;
    private final LoadedModel first;
    private final Tokenizer tokenizer;
    private final KernelWorkers workers;
    private final HeadTimings headTimings;
    private final StreamTimings streamTimings;
    private final HiddenStates recentStates;
    private final Precision precision;
    private final Function<LoadedModel, LanguageModel> forward;
    private final Reclaimer reclaimer;
    private final StepBreak breaks = new StepBreak();
    private final CurrentEpoch epochs;
    private final TokenEngine engine;
    private volatile @Nullable EngineStats atWarm;

    /** Which weights are served first. */
    interface FirstVersion {
        /**
         * Makes the model to begin with.
         *
         * @param base the weights of the file, taken over
         */
        Versioned of(GgufFile file, ModelLoader loader, LoadedModel base, WorkerTeam team);

        /** The file's own. */
        FirstVersion BASE = (file, loader, base, team) -> new Versioned(UpdateLog.BASE_VERSION, base);
    }

    /** A model and the version of its weights. */
    record Versioned(long weightsVersion, LoadedModel model) {}

    private RunningModel(
            ModelLoader loader,
            ModelOptions options,
            FirstVersion firstVersion,
            KernelWorkers workers,
            KernelWarmUp kernelWarmUp) {
        this.file = loader.file();
        this.loader = loader;
        this.workers = workers;
        this.kernelWarmUp = kernelWarmUp;
        tokenizer = Tokenizers.fromGguf(file.metadata());
        Versioned versioned = firstVersion.of(file, loader, options.compute().load(loader, workers), workers);
        first = versioned.model();
        try {
            int maxRows = Math.max(options.engine().maxSequences(), ComputeOptions.MAX_ROWS);
            ForwardScratch scratch = new ForwardScratch(first.blueprint(), maxRows);
            headTimings = new HeadTimings();
            streamTimings = new StreamTimings();
            recentStates = new HiddenStates(RECENT_STATES, first.blueprint().hiddenSize());
            HeadProbes probes = new HeadProbes(headTimings, recentStates);
            precision = options.compute().precision();
            forward = version -> version.newTransformer(workers, precision, scratch, probes);
            reclaimer = new Reclaimer();
            epochs = new CurrentEpoch(
                    ServedModelVersions.epoch(versioned.weightsVersion(), first, forward), reclaimer);
            engine = startEngine(options.engine(), tokenizer, epochs, breaks, observer(streamTimings), workers);
        } catch (RuntimeException | OutOfMemoryError e) {
            first.close();
            throw e;
        }
    }

    /** What a model is run with. */
    record ModelOptions(ComputeOptions compute, EngineConfig engine) {}

    /** Loads the model and starts the engine. */
    static RunningModel start(ModelOption model, ComputeOptions compute, EngineConfig engineConfig) {
        return start(model, compute, engineConfig, FirstVersion.BASE);
    }

    /** Loads the model, goes to a version, and starts the engine. */
    static RunningModel start(
            ModelOption model, ComputeOptions compute, EngineConfig engineConfig, FirstVersion firstVersion) {
        GgufFile file = model.open();
        KernelWorkers workers = new KernelWorkers(compute.threads());
        KernelWarmUp warmUp = null;
        boolean started = false;
        try {
            ModelLoader loader = new ModelLoader(file);
            warmUp = KernelWarmUp.start(loader, compute.kernels(), compute.precision());
            ModelOptions options = new ModelOptions(compute, engineConfig);
            RunningModel running = new RunningModel(loader, options, firstVersion, workers, warmUp);
            started = true;
            return running;
        } finally {
            if (!started) {
                if (warmUp != null) {
                    warmUp.close();
                }
                workers.close();
                file.close();
            }
        }
    }

    private static TokenEngine startEngine(
            EngineConfig config, Tokenizer tokenizer, CurrentEpoch epochs, StepBreak breaks, TokenObserver observer, WorkerTeam team) {
        try {
            return TokenEngine.start(config, tokenizer, epochs, breaks, observer, team);
        } catch (IllegalArgumentException e) { // limits that do not fit this model
            throw new CliException(String.valueOf(e.getMessage()));
        }
    }

    static TokenObserver observer(StreamTimings timings) {
        return new TokenObserver() {
            @Override
            public void firstToken(long nanos) {
                timings.firstToken(nanos);
            }

            @Override
            public void nextToken(long nanos) {
                timings.nextToken(nanos);
            }
        };
    }

    /** Counts, times and hidden states are those from now on: those of the warm-up are nobody's traffic. */
    void beginMeasuring() {
        awaitEndOfStep();
        atWarm = engine.stats();
        headTimings.forget();
        streamTimings.forget();
        recentStates.forget();
    }

    /** A stream has its last token before the step is counted that made it. Clients that are there already keep nobody waiting. */
    private void awaitEndOfStep() {
        long startNs = System.nanoTime();
        while (!breaks.free() && System.nanoTime() - startNs < LONGEST_STEP_NS) {
            LockSupport.parkNanos(MOMENT_NS);
        }
    }

    /** What the engine holds, and has done for clients. */
    EngineStats stats() {
        EngineStats start = atWarm;
        EngineStats now = engine.stats();
        return start == null ? now : now.since(start);
    }

    /** Waits until kernels are compiled. */
    void awaitKernels() {
        kernelWarmUp.await();
    }

    int threads() {
        return workers.size();
    }

    Blueprint blueprint() {
        return first.blueprint();
    }

    /** The model that was served first; open as long as its epoch is. */
    LoadedModel first() {
        return first;
    }

    /** Reads the model file. */
    ModelLoader loader() {
        return loader;
    }

    /** Elements of all tensors of the file. */
    long parameters() {
        return file.tensors().values().stream().mapToLong(GgufTensor::elements).sum();
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    TokenEngine engine() {
        return engine;
    }

    /** Breaks between two steps. */
    StepBreak breaks() {
        return breaks;
    }

    CurrentEpoch epochs() {
        return epochs;
    }

    /** Makes the forward pass of a version; all of them share their scratch space. */
    Function<LoadedModel, LanguageModel> forward() {
        return forward;
    }

    /** What {@link #forward} computes with. */
    Precision precision() {
        return precision;
    }

    HeadTimings headTimings() {
        return headTimings;
    }

    StreamTimings streamTimings() {
        return streamTimings;
    }

    HiddenStates recentStates() {
        return recentStates;
    }

    /** The newest version of the weights. */
    long weightsVersion() {
        return epochs.weightsVersion();
    }

    @Override
    public void close() {
        kernelWarmUp.close();
        engine.close();
        epochs.close();
        reclaimer.close();
        workers.close();
        file.close();
    }
}

package dev.tidestream.server.app;

import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.HiddenStates;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.transformer.ForwardScratch;
import dev.tidestream.model.transformer.HeadProbes;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.adapters.AdapterRegistry;
import dev.tidestream.server.adapters.ServedAdapters;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.canary.Trials;
import dev.tidestream.server.chat.ModelChat;
import dev.tidestream.server.engine.ChatPrompts;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.EngineStats;
import dev.tidestream.server.engine.KernelWorkers;
import dev.tidestream.server.engine.TokenEngine;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.epoch.Reclaimer;
import dev.tidestream.server.metrics.HeadTimings;
import dev.tidestream.server.metrics.StreamTimings;
import dev.tidestream.server.pacing.StepBreak;
import dev.tidestream.server.scheduler.StreamEnd;
import dev.tidestream.server.scheduler.TokenObserver;
import dev.tidestream.server.scheduler.probe.LogitsProbe;
import dev.tidestream.server.warmup.BackgroundWarmUp;
import dev.tidestream.server.warmup.KernelWarmUp;
import dev.tidestream.server.warmup.StreamWarmUp;

/**
 * A model, loaded, with an engine running over it. Closing it ends the engine, the threads and the memory, in this order. The
 * model file stays open meanwhile: versions are built on top of it.
 */
public final class ModelRuntime implements AutoCloseable {
    /** Most tokens of one forward pass. */
    public static final int MAX_ROWS = 128;

    /** Hidden states that are kept, to compare heads on. */
    private static final int RECENT_STATES = 8;
    private static final long LONGEST_STEP_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long MOMENT_NS = TimeUnit.MICROSECONDS.toNanos(100);

    private final ModelSource file;
    private final ModelLoader loader;
    private final @Nullable KernelWarmUp kernelWarmUp;
    private final LoadedModel first;
    private final Tokenizer tokenizer;
    private final ModelChat chat;
    private final KernelWorkers workers;
    private final HeadTimings headTimings;
    private final StreamTimings streamTimings;
    private volatile Consumer<StreamEnd> streamEnds = end -> { };
    private final HiddenStates recentStates;
    private final Precision precision;
    private final Function<LoadedModel, LanguageModel> forward;
    private final Reclaimer reclaimer;
    private final StepBreak breaks = new StepBreak();
    private final CurrentEpoch epochs;
    private final Trials trials;
    private final AdapterRegistry adapters;
    private final TokenEngine engine;
    private volatile @Nullable EngineStats atWarm;

    /** Which weights are served first. */
    public interface FirstVersion {
        /**
         * Makes the model to begin with.
         *
         * @param base the weights of the file, taken over
         */
        Versioned of(ModelSource file, ModelLoader loader, LoadedModel base, WorkerTeam team);

        /** The file's own. */
        FirstVersion BASE = (file, loader, base, team) -> new Versioned(UpdateLog.BASE_VERSION, base);
    }

    /** A model and the version of its weights. */
    public record Versioned(long weightsVersion, LoadedModel model) {}

    private ModelRuntime(
            ModelLoader loader, ServerConfig config, FirstVersion firstVersion, KernelWorkers workers,
            @Nullable KernelWarmUp kernelWarmUp, StartListener listener) {
        this.file = loader.source();
        this.loader = loader;
        this.workers = workers;
        this.kernelWarmUp = kernelWarmUp;
        tokenizer = ModelFiles.tokenizer(file);
        chat = ModelFiles.chat(file, tokenizer, config.chats().template());
        Versioned versioned =
                firstVersion.of(file, loader, ModelFiles.load(loader, config.compute(), workers, listener), workers);
        first = versioned.model();
        try {
            int maxRows = Math.max(config.engine().maxSequences(), MAX_ROWS);
            ForwardScratch scratch = new ForwardScratch(first.blueprint(), maxRows);
            headTimings = new HeadTimings();
            streamTimings = new StreamTimings();
            recentStates = new HiddenStates(RECENT_STATES, first.blueprint().hiddenSize());
            HeadProbes probes = new HeadProbes(headTimings, recentStates);
            precision = config.compute().precision();
            forward = version -> version.newTransformer(workers, precision, scratch, probes);
            reclaimer = new Reclaimer();
            epochs = new CurrentEpoch(
                    ModelEpoch.of(versioned.weightsVersion(), first, forward), reclaimer);
            trials = Trials.over(epochs, version -> version.newTransformer(workers, precision, scratch, HeadProbes.NONE),
                    config.updates().shadow(), task -> Thread.ofVirtual().name("tidestream-trial-end").start(task), InstantSource.system());
            adapters = new AdapterRegistry(config.adapters().limits(), epochs, first.blueprint().name());
            engine = startEngine(config.engine(), tokenizer, ChatPrompts.of(chat), epochs, adapters, breaks,
                    observer(streamTimings, trials, end -> streamEnds.accept(end)), workers);
        } catch (RuntimeException | OutOfMemoryError e) {
            first.close();
            throw e;
        }
    }

    /** Loads the model, and starts the engine with the weights of the file. */
    public static ModelRuntime start(ServerConfig config, StartListener listener) {
        return start(config, FirstVersion.BASE, listener);
    }

    /**
     * Loads the model, goes to a version, and starts the engine. Of the configuration, model, compute and engine count.
     *
     * @param listener told of the loading
     * @throws ServerException if limits do not fit the model
     */
    public static ModelRuntime start(ServerConfig config, FirstVersion firstVersion, StartListener listener) {
        ModelSource file = ModelFiles.open(config.model());
        KernelWorkers workers = new KernelWorkers(config.compute().threads());
        KernelWarmUp warmUp = null;
        boolean started = false;
        try {
            ModelLoader loader = new ModelLoader(file, config.compute().formats());
            Kernels kernels = KernelSelection.fastest();
            loader.check();
            if (KernelSelection.haveVectorApi() && kernels == KernelSelection.vector()) { // interpreted until they are compiled
                warmUp = KernelWarmUp.start(loader, kernels, config.compute().precision());
            }
            ModelRuntime running = new ModelRuntime(loader, config, firstVersion, workers, warmUp, listener);
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
            EngineConfig config, Tokenizer tokenizer, ChatPrompts chats, CurrentEpoch epochs, ServedAdapters adapters, StepBreak breaks,
            TokenObserver observer, WorkerTeam team) {
        try {
            return TokenEngine.start(config, tokenizer, chats, epochs, adapters, breaks, observer, team);
        } catch (IllegalArgumentException e) { // limits that do not fit this model
            throw new ServerException(ServerException.Reason.LIMITS, String.valueOf(e.getMessage()), e);
        }
    }

    private static TokenObserver observer(StreamTimings timings, @Nullable Trials trials, Consumer<StreamEnd> ends) {
        return new TokenObserver() {
            @Override
            public LogitsProbe logits() {
                return trials == null ? LogitsProbe.NONE : trials;
            }

            @Override
            public void stepped(long nanos, int rows, int decodedRows) {
                timings.stepped(decodedRows == 0 ? StreamTimings.Phase.PREFILL
                        : decodedRows == rows ? StreamTimings.Phase.DECODE : StreamTimings.Phase.MIXED, nanos);
            }

            @Override
            public void ended(StreamEnd end) {
                timings.ended(end.code() == null ? end.outcome().name().toLowerCase(Locale.ROOT) : end.code().wireName(),
                        end.timing().queueMs(), end.timing().totalMs());
                if (trials != null) {
                    trials.ended(end.stream(), end.weightsVersion(), end.code() == ErrorCode.INTERNAL);
                }
                ends.accept(end);
            }

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
    public EngineStats stats() {
        EngineStats start = atWarm;
        EngineStats now = engine.stats();
        return start == null ? now : now.since(start);
    }

    /**
     * Waits until kernels are compiled, and runs some streams for nobody.
     *
     * @throws ServerException if the model makes no token
     */
    public void warmUp() {
        if (kernelWarmUp != null) {
            kernelWarmUp.await();
        }
        try {
            StreamWarmUp.run(engine, blueprint());
        } catch (EngineException e) {
            throw new ServerException(
                    ServerException.Reason.MODEL, "%s: cannot be served: %s".formatted(file.path(), e.getMessage()), e);
        }
    }

    /**
     * JIT warm-up of what streams and updates need later; not started.
     *
     * @param updates runs warm-up updates until its argument says stop; returns whether another run is useful
     */
    public BackgroundWarmUp backgroundWarmUp(Predicate<BooleanSupplier> updates) {
        return new BackgroundWarmUp(new BackgroundWarmUp.Subject(
                loader, first.kernels(), precision, tokenizer, threads(), breaks, observer(new StreamTimings(), null, end -> { })), updates);
    }

    /** Threads that compute. */
    public int threads() {
        return workers.size();
    }

    /** What is served, without its weights. */
    public Blueprint blueprint() {
        return first.blueprint();
    }

    /** The model that was served first; open as long as its epoch is. */
    public LoadedModel first() {
        return first;
    }

    /** Reads the model file. */
    ModelLoader loader() {
        return loader;
    }

    /** Of the model file, and of what makes prompts of texts; reads all of it, the file once. */
    List<String> contentSha256() {
        return List.of(file.sha256(), promptSha256());
    }

    /** Of what makes prompts and texts: chat templates and tokenizer. */
    String promptSha256() {
        return ModelFiles.promptSha256(file, chat);
    }

    /** Elements of all tensors of the file. */
    long parameters() {
        return file.tensors().values().stream().mapToLong(GgufTensor::elements).sum();
    }

    /** Of the model. */
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /** How the model chats. */
    public ModelChat chat() {
        return chat;
    }

    /** The engine over it; closed with this. */
    public TokenEngine engine() {
        return engine;
    }

    /** Breaks between two steps. */
    public StepBreak breaks() {
        return breaks;
    }

    /** Its versions; closed with this. */
    public CurrentEpoch epochs() {
        return epochs;
    }

    /** Versions that are tried; closed with this. */
    public Trials trials() {
        return trials;
    }

    /** Its adapters; closed with this. */
    public AdapterRegistry adapters() {
        return adapters;
    }

    /** Makes the forward pass of a version; all of them share their scratch space. */
    Function<LoadedModel, LanguageModel> forward() {
        return forward;
    }

    /** What {@link #forward} computes with. */
    Precision precision() {
        return precision;
    }

    /** Of the heads' calls. */
    HeadTimings headTimings() {
        return headTimings;
    }

    /** Of the streams' tokens. */
    StreamTimings streamTimings() {
        return streamTimings;
    }

    /** Has somebody told of every stream that ends from now on, on the decode thread, which must not wait. */
    void onStreamEnd(Consumer<StreamEnd> listener) {
        streamEnds = listener;
    }

    /** Of streams, for comparing heads. */
    HiddenStates recentStates() {
        return recentStates;
    }

    /** The newest version of the weights. */
    public long weightsVersion() {
        return epochs.weightsVersion();
    }

    @Override
    public void close() {
        if (kernelWarmUp != null) {
            kernelWarmUp.close();
        }
        engine.close();
        trials.close();
        adapters.close();
        epochs.close();
        reclaimer.close();
        workers.close();
        file.close();
    }
}

package dev.tidestream.server.warmup;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.HiddenStates;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.transformer.ForwardScratch;
import dev.tidestream.model.transformer.HeadProbes;
import dev.tidestream.model.transformer.KvCacheShape;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.engine.KernelWorkers;
import dev.tidestream.server.engine.TokenEngine;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.metrics.HeadTimings;
import dev.tidestream.server.pacing.StepBreak;
import dev.tidestream.server.scheduler.TokenObserver;

/**
 * Has compiled while nobody streams what would be compiled beside somebody's tokens later. {@link StreamWarmUp} makes a server fast; but
 * the compiler takes up the larger methods only after thousands of calls, that is after the first seconds of streams and at the
 * first updates, and takes a core for 20 to 140 ms at a time, which every step meanwhile waits for.
 *
 * <p>Streams are rehearsed on a miniature of the model with an engine of its own, in a thousandth of the time; updates on a part of
 * the model itself ({@code AdminService.warmUp}). Each goes on until the compilers have had nothing to do for a while: some seconds of
 * the machine in all, once. Whoever streams is waited for; a round that has begun, of milliseconds, is done first.
 */
public final class BackgroundWarmUp implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(BackgroundWarmUp.class);

    private static final long FIRST_VERSION = 1; // of the miniature's weights
    private static final long NS_PER_MS = 1_000_000;
    private static final int PROMPT_TOKENS = 24;
    private static final int MAX_TOKENS = 40;
    private static final int STREAM_ROUNDS = 50;
    private static final double SHARE = 0.25; // of time, for whoever publishes
    private static final int MAX_WINDOWS = 20;
    private static final int IDLE_WINDOWS = 2;
    /** What is done once an update is compiled after 800 calls, of 80 in a window, some of which give way. */
    private static final int LEAST_UPDATE_WINDOWS = 13;
    /** The last large method of a step was once compiled when the compilers had been idle for two windows. */
    private static final int LEAST_STREAM_WINDOWS = 10;
    /** Of the compilers, in a window, is nothing to speak of. */
    private static final long LITTLE_MS = 15;

    private final Subject subject;
    private final Predicate<BooleanSupplier> practiseUpdates;
    private final @Nullable CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    private final Thread thread = Thread.ofPlatform().name("tidestream-rehearsal").daemon().unstarted(this::run);
    private volatile boolean closed;

    /**
     * What is warmed up.
     *
     * @param loader of the served model
     * @param kernels and
     * @param precision that it computes with
     * @param threads that compute
     * @param breaks of the served model's decode loop, whose rests are used
     * @param observer like the one of the served model, told of tokens for nobody
     */
    public record Subject(
            ModelLoader loader,
            Kernels kernels,
            Precision precision,
            Tokenizer tokenizer,
            int threads,
            StepBreak breaks,
            TokenObserver observer) {}

    /** @param practiseUpdates of the served model, until its argument says stop; whether it is of use to do so again */
    public BackgroundWarmUp(Subject subject, Predicate<BooleanSupplier> practiseUpdates) {
        this.subject = subject;
        this.practiseUpdates = practiseUpdates;
    }

    /** Begins, on a thread of its own. */
    public void start() {
        thread.start();
    }

    /** Returns when all is rehearsed. What goes wrong is logged: nobody needs a rehearsal. */
    public void run() {
        long startNs = System.nanoTime();
        try {
            int streams = streams();
            long streamsNs = System.nanoTime();
            int updates = untilCompiled(LEAST_UPDATE_WINDOWS, () -> practiseUpdates.test(() -> closed));
            if (!closed) {
                log.info("rehearsed: stream_windows={}, streams_ms={}, update_windows={}, updates_ms={}",
                        streams, (streamsNs - startNs) / NS_PER_MS, updates, (System.nanoTime() - streamsNs) / NS_PER_MS);
            }
        } catch (RuntimeException | Error e) {
            log.error("rehearsal failed; what it would have compiled will be when it is needed", e);
        }
    }

    /**
     * Does something over and over, as long as that is of use and the compilers have something to do. Their time is counted when a
     * method is done, so one window without any says nothing.
     *
     * @param least windows, however idle the compilers are
     * @param window does it for a while; whether to go on
     * @return in how many windows something was done
     */
    private int untilCompiled(int least, BooleanSupplier window) {
        if (compiler == null || !compiler.isCompilationTimeMonitoringSupported()) {
            return 0; // nothing is compiled, or nobody knows when
        }
        long beforeMs = compiler.getTotalCompilationTime();
        int idle = 0;
        int windows = 0;
        while ((idle < IDLE_WINDOWS || windows < least) && windows < MAX_WINDOWS && window.getAsBoolean()) {
            windows++;
            long nowMs = compiler.getTotalCompilationTime();
            idle = nowMs - beforeMs < LITTLE_MS ? idle + 1 : 0;
            beforeMs = nowMs;
        }
        return windows;
    }

    private int streams() {
        StepBreak breaks = subject.breaks();
        breaks.awaitRest(() -> closed);
        if (closed) {
            return 0;
        }
        try (LoadedModel miniature = subject.loader().miniature(subject.kernels())) {
            subject.loader().file().releaseAll(); // pages that it has read
            boolean tooSmall = miniature.blueprint().contextLength() < PROMPT_TOKENS + MAX_TOKENS; // such a model is soon done with
            return tooSmall ? 0 : streams(miniature, breaks);
        }
    }

    private int streams(LoadedModel miniature, StepBreak breaks) {
        KvCacheShape shape = KvCacheShape.of(miniature.blueprint(), subject.precision().kvType());
        long kvBytes = (long) StreamWarmUp.TOGETHER * shape.blocksFor(PROMPT_TOKENS + MAX_TOKENS) * shape.blockBytes();
        ForwardScratch scratch = new ForwardScratch(miniature.blueprint(), PROMPT_TOKENS * StreamWarmUp.TOGETHER);
        HeadProbes probes = new HeadProbes(new HeadTimings(), new HiddenStates(1, miniature.blueprint().hiddenSize()));
        try (KernelWorkers workers = new KernelWorkers(subject.threads())) {
            Supplier<LanguageModel> forward = () -> miniature.newTransformer(workers, subject.precision(), scratch, probes);
            StepBreak turns = new StepBreak();
            try (CurrentEpoch epochs = new CurrentEpoch(epoch(FIRST_VERSION, forward));
                    TokenEngine engine = TokenEngine.start(
                            EngineConfig.DEFAULT.withMaxSequences(StreamWarmUp.TOGETHER).withKvMemoryBytes(kvBytes), subject.tokenizer(), epochs, turns,
                            subject.observer(), workers)) {
                StreamWarmUp warmUp = new StreamWarmUp(engine, miniature.blueprint(), PROMPT_TOKENS, MAX_TOKENS);
                return untilCompiled(LEAST_STREAM_WINDOWS, () -> {
                    for (int round = 0; round < STREAM_ROUNDS && !closed; round++) {
                        breaks.awaitRest(() -> closed);
                        warmUp.round(() -> publish(epochs, turns, forward));
                    }
                    return !closed;
                });
            }
        }
    }

    /** The same weights once more, in a break, for streams that follow. */
    private static void publish(CurrentEpoch epochs, StepBreak breaks, Supplier<LanguageModel> forward) {
        StepBreak.Turn turn = breaks.turn();
        turn.await(SHARE, 1);
        try {
            epochs.publish(epoch(epochs.weightsVersion() + 1, forward));
        } finally {
            turn.leave();
        }
    }

    private static ModelEpoch epoch(long version, Supplier<LanguageModel> forward) {
        return new ModelEpoch(version, HeadMode.PACKED, forward.get(), () -> {}); // its weights are the miniature's
    }

    /** Has it end soon; any thread. */
    public void giveUp() {
        closed = true;
        LockSupport.unpark(thread);
    }

    /** Has it end soon, and waits for that, since it reads weights. */
    @Override
    public void close() {
        giveUp();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

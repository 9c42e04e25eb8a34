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
import dev.tidestream.server.adapters.ServedAdapters;
import dev.tidestream.server.engine.ChatPrompts;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.engine.KernelWorkers;
import dev.tidestream.server.engine.TokenEngine;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.metrics.HeadTimings;
import dev.tidestream.server.pacing.StepBreak;
import dev.tidestream.server.scheduler.TokenObserver;

/**
 * JIT warm-up in the background, while nobody streams. {@link StreamWarmUp} makes a server fast, but C2 compiles the larger methods only
 * after thousands of invocations: during the first seconds of streams and during the first updates. Each compilation takes a core for
 * 20 to 140 ms, and decode steps wait for it. This class moves those compilations to a time when no client waits.
 *
 * <p>Streams are run on a warm-up model with an engine of its own, in a thousandth of the time; updates on a part of the served model
 * ({@code AdminService.warmUp}). Each runs until the compilers have been idle for a while: some seconds in all, once per process. The
 * warm-up waits while anybody streams; it finishes the round that it has begun, which takes milliseconds.
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
    /** The compiler takes methods that run once per update after 800 invocations. A window has 80 updates, some of which yield. */
    private static final int LEAST_UPDATE_WINDOWS = 13;
    /** In one measurement, C2 compiled the last large method of a step after it had been idle for two windows. */
    private static final int LEAST_STREAM_WINDOWS = 10;
    /** Compilation time of a window below which the compilers count as idle. */
    private static final long LITTLE_MS = 15;

    private final Subject subject;
    private final Predicate<BooleanSupplier> warmUpUpdates;
    private final @Nullable CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    private final Thread thread = Thread.ofPlatform().name("tidestream-background-warm-up").daemon().unstarted(this::run);
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

    /** @param warmUpUpdates runs updates on the served model until its argument says stop; returns whether another run is useful */
    public BackgroundWarmUp(Subject subject, Predicate<BooleanSupplier> warmUpUpdates) {
        this.subject = subject;
        this.warmUpUpdates = warmUpUpdates;
    }

    /** Begins, on a thread of its own. */
    public void start() {
        thread.start();
    }

    /** Returns when the warm-up is done. Failures are logged and go no further: a server works without a warm-up. */
    public void run() {
        long startNs = System.nanoTime();
        try {
            int streams = streams();
            long streamsNs = System.nanoTime();
            int updates = untilCompiled(LEAST_UPDATE_WINDOWS, () -> warmUpUpdates.test(() -> closed));
            if (!closed) {
                log.info("warm-up done: stream_windows={}, streams_ms={}, update_windows={}, updates_ms={}",
                        streams, (streamsNs - startNs) / NS_PER_MS, updates, (System.nanoTime() - streamsNs) / NS_PER_MS);
            }
        } catch (RuntimeException | Error e) {
            log.error("warm-up failed; code will be compiled when it is first needed", e);
        }
    }

    /**
     * Runs windows until the compilers are idle. The JVM counts compilation time when a method is done, so a single idle window
     * proves nothing.
     *
     * @param least number of windows, however idle the compilers are
     * @param window does work for a while; returns whether to go on
     * @return the number of windows
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
            subject.loader().source().releaseAll(); // pages that it has read
            boolean tooSmall = miniature.blueprint().contextLength() < PROMPT_TOKENS + MAX_TOKENS; // such a model is soon done with
            return tooSmall ? 0 : streams(miniature, breaks);
        }
    }

    private int streams(LoadedModel miniature, StepBreak breaks) {
        int rows = PROMPT_TOKENS * StreamWarmUp.TOGETHER;
        KvCacheShape shape = KvCacheShape.of(miniature.blueprint(), subject.precision().kvType(), rows);
        long kvBytes = (long) StreamWarmUp.TOGETHER * shape.blocksFor(PROMPT_TOKENS + MAX_TOKENS) * shape.blockBytes();
        ForwardScratch scratch = new ForwardScratch(miniature.blueprint(), rows);
        HeadProbes probes = new HeadProbes(new HeadTimings(), new HiddenStates(1, miniature.blueprint().hiddenSize()));
        try (KernelWorkers workers = new KernelWorkers(subject.threads())) {
            Supplier<LanguageModel> forward = () -> miniature.newTransformer(workers, subject.precision(), scratch, probes);
            StepBreak turns = new StepBreak();
            try (CurrentEpoch epochs = new CurrentEpoch(epoch(FIRST_VERSION, forward));
                    TokenEngine engine = TokenEngine.start(
                            EngineConfig.DEFAULT.withMaxSequences(StreamWarmUp.TOGETHER).withKvMemoryBytes(kvBytes), subject.tokenizer(),
                            ChatPrompts.NONE, epochs, ServedAdapters.NONE, turns, subject.observer(), workers)) {
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

    /** Publishes the same weights again, in a break, so that streams that follow weights switch. */
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

    /** Requests termination; returns immediately. Any thread. */
    public void giveUp() {
        closed = true;
        LockSupport.unpark(thread);
    }

    /** Requests termination and waits for it: the thread reads weights. */
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

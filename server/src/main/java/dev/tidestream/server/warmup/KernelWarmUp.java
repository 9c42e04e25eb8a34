package dev.tidestream.server.warmup;

import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.SamplingParams;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.NonFiniteWeightException;
import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.KvCaches;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.server.engine.KernelWorkers;

/**
 * JIT warm-up of kernels and sampling while the model is being loaded: one thread runs a warm-up model with the same formats until it
 * is fast, another thread samples tokens. Before C2 compiles it, Vector API code is interpreted and a thousand times slower; a model
 * of a billion Q4_0 weights itself took 15 seconds to become warm.
 */
public final class KernelWarmUp implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(KernelWarmUp.class);

    private static final int PROMPT = 24;
    private static final int TOGETHER = 4;
    private static final int STEPS = 4;
    private static final int MAX_ROUNDS = 2000;
    private static final long LIMIT_NS = Duration.ofSeconds(10).toNanos();
    /**
     * Weights times rows per ns of a compiled kernel, with a good margin on both sides: 0.02 if interpreted, 5 and more if
     * compiled.
     */
    private static final double FAST = 1;
    private static final int LOGITS = Kernels.MAXIMA_TILE;
    /** The same for sampling: hundreds and more if interpreted, 3 to 9 if compiled. */
    private static final double FAST_NS_PER_LOGIT = 50;
    private static final SamplingParams SAMPLED = new SamplingParams(1, 0, 1, 0, 1, 0, 0, Map.of(), 1, -1);
    private static final SamplingParams LIKELIEST = new SamplingParams(1, 40, 1, 0, 1, 0, 0, Map.of(), 1, 5);

    private final ModelLoader loader;
    private final Kernels kernels;
    private final Precision precision;
    private final CountDownLatch cut = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(2); // threads
    private volatile boolean stopped;

    private KernelWarmUp(ModelLoader loader, Kernels kernels, Precision precision) {
        this.loader = loader;
        this.kernels = kernels;
        this.precision = precision;
    }

    /**
     * Starts the warm-up of kernels in the Vector API. Generated ones need none, and scalar ones are compiled soon, like any loop.
     *
     * @param loader of a model that can be run
     */
    public static KernelWarmUp start(ModelLoader loader, Kernels kernels, Precision precision) {
        KernelWarmUp warmUp = new KernelWarmUp(loader, kernels, precision);
        Thread.ofPlatform().name("tidestream-warm-up-2").daemon().start(warmUp::sample); // first: it does not read the file
        Thread.ofPlatform().name("tidestream-warm-up").daemon().start(warmUp::multiply);
        return warmUp;
    }

    /** Waits until the kernels are compiled, ten seconds at most. */
    public void await() {
        await(ended);
    }

    private static void await(CountDownLatch latch) {
        try {
            boolean _ = latch.await(LIMIT_NS, TimeUnit.NANOSECONDS); // late is late
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void sample() {
        try {
            long startNs = System.nanoTime();
            for (SamplingParams each : List.of(SAMPLED, LIKELIEST)) {
                Sampler sampler = new Sampler(kernels, each, LOGITS, new int[0]);
                float[] logits = logits();
                rounds(startNs, () -> sample(sampler, logits));
            }
            log.debug("sampling is warm: took_ms={}", (System.nanoTime() - startNs) / 1_000_000);
        } finally {
            ended.countDown();
        }
    }

    private void multiply() {
        try (LoadedModel miniature = loader.miniature(kernels); KernelWorkers alone = new KernelWorkers(1)) {
            cut.countDown();
            if (miniature.blueprint().contextLength() < PROMPT + 2 * STEPS) {
                stopped = true; // so small a model needs no warm-up
                return;
            }
            long startNs = System.nanoTime();
            for (Precision each : precisions()) {
                LanguageModel model = miniature.newTransformer(alone, each, PROMPT);
                rounds(startNs, () -> round(model, miniature.weights().bytes()));
            }
            log.debug("kernels are warm: took_ms={}", (System.nanoTime() - startNs) / 1_000_000);
        } catch (NonFiniteWeightException e) {
            stopped = true; // whoever loads the model finds it, too, and says so
        } finally {
            cut.countDown();
            ended.countDown();
        }
    }

    /** What is served, and the exact head if that is another: heads are compared with it before a toggle (HeadVerifier). */
    private List<Precision> precisions() {
        return Stream.of(precision, Precision.withExactHead(precision.body(), precision.kvType())).distinct().toList();
    }

    /** Repeats rounds until one is fast, within limits of number and time. */
    private void rounds(long startNs, BooleanSupplier isFast) {
        for (int round = 0; round < MAX_ROUNDS && !stopped && System.nanoTime() - startNs < LIMIT_NS; round++) {
            if (isFast.getAsBoolean()) {
                return;
            }
        }
    }

    private static float[] logits() {
        SplittableRandom random = new SplittableRandom(1);
        float[] logits = new float[LOGITS];
        for (int i = 0; i < LOGITS; i++) {
            logits[i] = (float) random.nextGaussian();
        }
        return logits;
    }

    /** Samples a token; returns whether that was fast. A row of a real model has a hundred times as many logits. */
    private static boolean sample(Sampler sampler, float[] logits) {
        long startNs = System.nanoTime();
        Sample _ = sampler.sample(logits, 0);
        return (System.nanoTime() - startNs) / (double) LOGITS < FAST_NS_PER_LOGIT;
    }

    /** Runs a prompt, steps of one sequence and steps of several; returns whether all were fast. */
    private static boolean round(LanguageModel model, long weights) { // bytes are of the order of weights, in any format
        int[] tokens = new SplittableRandom(1).ints(PROMPT, 0, model.vocabularySize()).toArray();
        float[] logits = new float[TOGETHER * model.vocabularySize()];
        try (Arena arena = Arena.ofConfined()) {
            List<KvCache> caches = new ArrayList<>();
            for (int i = 0; i < TOGETHER; i++) {
                caches.add(KvCaches.cache(model, PROMPT + 2 * STEPS, arena));
            }
            KvCache first = caches.getFirst();
            double prompt = rate(model, List.of(new Slice(first, tokens, 0, PROMPT, LogitsRows.LAST)), 1, logits, weights);
            double alone = rate(model, List.of(new Slice(first, tokens, 0, 1, LogitsRows.LAST)), STEPS, logits, weights);
            List<Slice> batch = caches.stream().map(cache -> new Slice(cache, tokens, 0, 1, LogitsRows.LAST)).toList();
            double together = rate(model, batch, STEPS, logits, weights);
            return Math.min(prompt, Math.min(alone, together)) > FAST;
        }
    }

    /** Weights times rows per ns, of the fastest of some passes. */
    private static double rate(LanguageModel model, List<Slice> slices, int passes, float[] logits, long weights) {
        long fastestNs = Long.MAX_VALUE;
        for (int i = 0; i < passes; i++) {
            long startNs = System.nanoTime();
            model.forward(slices, logits);
            fastestNs = Math.min(fastestNs, System.nanoTime() - startNs);
        }
        long rows = slices.stream().mapToLong(Slice::count).sum();
        return (double) rows * weights / Math.max(1, fastestNs);
    }

    /** Requests termination; on return, the model file is not read any more. */
    @Override
    public void close() {
        stopped = true;
        await(cut);
    }
}

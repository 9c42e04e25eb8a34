package dev.tidestream.model.sampling;

import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

import dev.tidestream.model.kernels.KernelSelection;

/** One token from a row of 128,256 normally distributed logits (standard deviation 3), on one thread. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector"})
public class SamplingBenchmark {
    private static final int VOCABULARY = 128_256;

    /** What limits the choice; {@code LOGPROBS} is greedy with the log-probabilities of the five most likely. */
    public enum Cut {
        GREEDY, TOP_K, TOP_P, MIN_P, NONE, LOGPROBS
    }

    @Param({"GREEDY", "TOP_K", "TOP_P", "MIN_P", "NONE", "LOGPROBS"})
    private Cut cut = Cut.GREEDY;

    private final float[] logits = new float[VOCABULARY];
    private Sampler sampler = new Sampler(KernelSelection.fastest(), SamplingParams.greedy(), VOCABULARY, new int[0]);

    /** Makes logits and a sampler. */
    @Setup
    public void prepare() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < VOCABULARY; i++) {
            logits[i] = (float) random.nextGaussian() * 3;
        }
        SamplingParams params = switch (cut) {
            case GREEDY -> SamplingParams.greedy();
            case TOP_K -> params(0.7f, 40, 1f, 0f, -1);
            case TOP_P -> params(0.7f, 0, 0.9f, 0f, -1);
            case MIN_P -> params(0.7f, 0, 1f, 0.05f, -1);
            case NONE -> params(0.7f, 0, 1f, 0f, -1);
            case LOGPROBS -> params(0f, 0, 1f, 0f, 5);
        };
        sampler = new Sampler(KernelSelection.fastest(), params, VOCABULARY, new int[0]);
    }

    private static SamplingParams params(float temperature, int topK, float topP, float minP, int topLogprobs) {
        return new SamplingParams(temperature, topK, topP, minP, 1f, 0f, 0f, Map.of(), 1, topLogprobs);
    }

    /** One token. */
    @Benchmark
    public Sample sample() {
        return sampler.sample(logits, 0);
    }
}

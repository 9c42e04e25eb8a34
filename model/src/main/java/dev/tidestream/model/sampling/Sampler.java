package dev.tidestream.model.sampling;

import java.util.Arrays;
import java.util.SplittableRandom;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tensor.Kernels;

/**
 * Chooses the tokens of one sequence. Owns that sequence's random state and counts; used by one thread.
 *
 * <p><b>Deterministic to the bit</b>, on any machine: exponentials and logarithms are {@code StrictMath}'s in double precision,
 * sums run in a fixed order (candidates in order of likelihood where there is a cut-off, ids where there is none), and nothing
 * depends on another sequence. Random numbers are {@code SplittableRandom}'s, which is SplitMix64 (Steele, Lea and Flood,
 * "Fast splittable pseudorandom number generators", 2014): the n-th number is a mix of {@code seed + n * gamma}, so it depends
 * on seed and step only, neighbouring seeds are unrelated (those of {@code java.util.Random} are not), and every 64-bit seed is
 * another stream. Its 53 upper bits make the number; each token above temperature 0 takes exactly one.
 *
 * <p><b>Cost</b> for a vocabulary of V: greedy is one pass of comparisons, in vectors; top-k and min-p take one or two more, and
 * exponentials of what they keep only; top-p needs V of them, and sorts the {@value #LIKELY_NUCLEUS} most likely tokens, or, where
 * those are not enough, the tokens that can be in the set at all; nothing else sorts. What is done for V tokens is done by
 * {@link Kernels}. Nothing in proportion to V is allocated.
 */
public final class Sampler {
    private static final int[] NO_TOKENS = {};
    private static final float[] NO_LOGPROBS = {};

    /** As many tokens are tried first as the set of top-p. */
    private static final int LIKELY_NUCLEUS = 256;

    /** How much lower, in logits, a token must be than calculated before it is left out of top-p's sort. */
    private static final double ROUNDING_MARGIN = 1e-6;

    private static final double ULP_OF_RANDOM = 0x1.0p-53;

    private final SamplingParams params;
    private final Kernels kernels;
    private final int vocabularySize;
    private final Adjustments adjustments;
    private final @Nullable SamplerScratch shared; // null: whichever the calling thread has
    private SamplerScratch scratch;
    private final SplittableRandom random;
    private final double logMinP;

    /**
     * A sampler that uses the scratch space of whatever thread calls it.
     *
     * @param kernels what whole rows of logits are gone over with; tokens do not depend on it
     * @param vocabularySize length of a row of logits
     * @param promptTokens the prompt, for the repetition penalty {@code (n)}
     * @throws InvalidSamplingException if a biased token is not in the vocabulary
     */
    public Sampler(Kernels kernels, SamplingParams params, int vocabularySize, int[] promptTokens) {
        this(params, SamplerScratch.ofThread(kernels, vocabularySize), null, promptTokens);
    }

    /**
     * A sampler that shares its scratch space with others of the same thread.
     *
     * @param scratch for the model's vocabulary
     * @param promptTokens the prompt, for the repetition penalty {@code (n)}
     * @throws InvalidSamplingException if a biased token is not in the vocabulary
     */
    public Sampler(SamplingParams params, SamplerScratch scratch, int[] promptTokens) {
        this(params, scratch, scratch, promptTokens);
    }

    private Sampler(SamplingParams params, SamplerScratch scratch, @Nullable SamplerScratch shared, int[] promptTokens) {
        this.params = params;
        this.shared = shared;
        this.scratch = scratch;
        this.kernels = scratch.kernels();
        this.vocabularySize = scratch.vocabularySize();
        for (int id : params.logitBias().keySet()) {
            if (id >= vocabularySize) {
                throw new InvalidSamplingException(
                        "logit_bias", "names a token outside the vocabulary: token=%d, vocabulary=%d".formatted(id, vocabularySize));
            }
        }
        for (int token : promptTokens) {
            if (token < 0 || token >= vocabularySize) {
                throw new IllegalArgumentException(
                        "prompt token outside the vocabulary: token=%d, vocabulary=%d".formatted(token, vocabularySize));
            }
        }
        adjustments = new Adjustments(params, promptTokens);
        random = new SplittableRandom(params.seed());
        logMinP = params.minP() > 0 ? StrictMath.log(params.minP()) : Double.NEGATIVE_INFINITY;
    }

    /** Of its random numbers. */
    public long seed() {
        return params.seed();
    }

    /**
     * Remembers tokens that another sampler of the same parameters chose, so that the next one is what that one would choose next.
     *
     * @param tokens in order {@code (n)}
     * @throws IllegalArgumentException if one of them is outside the vocabulary
     */
    public void goOnAfter(int[] tokens) {
        for (int token : tokens) {
            if (token < 0 || token >= vocabularySize) {
                throw new IllegalArgumentException(
                        "token outside the vocabulary: token=%d, vocabulary=%d".formatted(token, vocabularySize));
            }
            if (params.temperature() > 0) {
                random.nextLong();
            }
            adjustments.remember(token);
        }
    }

    /**
     * Chooses the next token and remembers it.
     *
     * @param logits rows of logits; not modified
     * @param offset where this sequence's row {@code (vocabularySize)} begins
     * @throws InvalidLogitsException if a logit is NaN or +infinity, or every token is banned; then nothing was remembered
     */
    public Sample sample(float[] logits, int offset) {
        scratch = shared != null ? shared : SamplerScratch.ofThread(kernels, vocabularySize);
        int likeliest = argMax(logits, offset);
        int token = choose(logits, offset, likeliest);
        Sample sample = params.topLogprobs() < 0
                ? new Sample(token, Float.NaN, NO_TOKENS, NO_LOGPROBS)
                : withLogprobs(token, logits, offset, logits[offset + likeliest], params.topLogprobs());
        adjustments.remember(token);
        return sample;
    }

    /**
     * How likely a token would be, and what would be likelier; remembers nothing, and draws nothing.
     *
     * @param logits rows of logits; not modified
     * @param offset where the row {@code (vocabularySize)} begins
     * @param top so many of the most likely tokens, from 0 to {@value SamplingParams#MAX_TOP_LOGPROBS}
     * @throws InvalidLogitsException as {@link #sample} does
     */
    public Sample score(float[] logits, int offset, int token, int top) {
        scratch = shared != null ? shared : SamplerScratch.ofThread(kernels, vocabularySize);
        return withLogprobs(token, logits, offset, logits[offset + argMax(logits, offset)], top);
    }

    private int choose(float[] logits, int offset, int likeliest) {
        if (adjustments.none()) {
            return params.temperature() == 0 ? likeliest : draw(logits, offset, logits[offset + likeliest]);
        }
        float[] adjusted = scratch.adjusted();
        System.arraycopy(logits, offset, adjusted, 0, vocabularySize);
        adjustments.apply(adjusted);
        int best = argMax(adjusted, 0);
        return params.temperature() == 0 ? best : draw(adjusted, 0, adjusted[best]);
    }

    /** The greatest of a row, the first of equals; every value is checked on the way. */
    private int argMax(float[] values, int from) {
        float[] maxima = scratch.maxima();
        int count = scratch.kernels().maxima(values, from, vocabularySize, maxima);
        float max = greatest(maxima, count);
        if (max == Float.NEGATIVE_INFINITY) {
            throw new InvalidLogitsException(-1, "no token can be chosen: all logits are -infinity: vocabulary=" + vocabularySize);
        }
        int tile = 0; // the first in which it is, or a NaN
        while (maxima[tile] != max && !Float.isNaN(maxima[tile])) {
            tile++;
        }
        for (int id = tile / Kernels.PARTIALS * Kernels.MAXIMA_TILE; id < vocabularySize; id++) {
            float value = values[from + id];
            if (value == max && max != Float.POSITIVE_INFINITY) {
                return id;
            }
            if (value == max || Float.isNaN(value)) {
                throw invalid(id, value);
            }
        }
        throw new IllegalStateException("a maximum is not in its row: max=" + max);
    }

    /** NaN if one of them is NaN. */
    private float greatest(float[] maxima, int count) {
        int fewer = scratch.kernels().maxima(maxima, 0, count, scratch.maximaOfMaxima());
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < fewer; i++) {
            max = Math.max(max, scratch.maximaOfMaxima()[i]);
        }
        return max;
    }

    private static InvalidLogitsException invalid(int id, float value) {
        return new InvalidLogitsException(id, "logit is not a finite number: token=%d, logit=%s".formatted(id, value));
    }

    private int draw(float[] values, int from, float max) {
        double uniform = (random.nextLong() >>> 11) * ULP_OF_RANDOM;
        boolean allOfThem = (params.topK() == 0 || params.topK() >= vocabularySize) && params.topP() == 1f;
        if (!allOfThem) {
            int kept = atLeastMinP(values, from, max, mostLikely(values, from, max));
            return Candidates.id(scratch.keys()[drawCandidate(values, from, max, kept, uniform)]);
        }
        if (params.minP() > 0) {
            int kept = Candidates.above(scratch, values, from, max + logMinP);
            return Candidates.id(scratch.keys()[drawCandidate(values, from, max, kept, uniform)]);
        }
        return drawId(values, from, max, uniform);
    }

    /** Top-k and top-p: puts the kept candidates, in order, into the scratch; how many. */
    private int mostLikely(float[] values, int from, double max) {
        boolean cutByK = params.topK() > 0 && params.topK() < vocabularySize;
        if (!cutByK) {
            return nucleusOfAll(values, from, max);
        }
        int count = Candidates.top(scratch, values, from, params.topK());
        if (params.topP() == 1f) {
            return count;
        }
        double total = 0;
        for (int i = 0; i < count; i++) {
            total += weight(values, from, i, max);
        }
        int nucleus = nucleus(values, from, max, count, params.topP() * total);
        return nucleus > 0 ? nucleus : count;
    }

    private int nucleusOfAll(float[] values, int from, double max) {
        double total = LogSoftmax.sumExp(scratch, values, from, max);
        double enough = params.topP() * total;
        int count = Candidates.top(scratch, values, from, LIKELY_NUCLEUS);
        int nucleus = nucleus(values, from, max, count, enough);
        if (nucleus == 0) {
            // Tokens below this share could all be missing, and the rest would still be enough.
            double share = (1.0 - params.topP()) * total / vocabularySize;
            double least = max + StrictMath.log(share) - ROUNDING_MARGIN;
            count = Candidates.above(scratch, values, from, least);
            Arrays.sort(scratch.keys(), 0, count);
            nucleus = nucleus(values, from, max, count, enough);
        }
        if (nucleus == 0) {
            count = Candidates.top(scratch, values, from, vocabularySize);
            nucleus = nucleus(values, from, max, count, enough);
        }
        return nucleus > 0 ? nucleus : count;
    }

    /** How many of the first candidates reach this weight together; 0 if all do not. */
    private int nucleus(float[] values, int from, double max, int count, double enough) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += weight(values, from, i, max);
            if (sum >= enough) {
                return i + 1;
            }
        }
        return 0;
    }

    private double weight(float[] values, int from, int candidate, double max) {
        return StrictMath.exp(values[from + Candidates.id(scratch.keys()[candidate])] - max);
    }

    private int atLeastMinP(float[] values, int from, double max, int count) {
        int kept = count;
        while (kept > 1 && values[from + Candidates.id(scratch.keys()[kept - 1])] < max + logMinP) {
            kept--;
        }
        return kept;
    }

    private int drawCandidate(float[] values, int from, double max, int count, double uniform) {
        double[] weights = scratch.weights();
        long[] keys = scratch.keys();
        double total = 0;
        for (int i = 0; i < count; i++) {
            weights[i] = StrictMath.exp((values[from + Candidates.id(keys[i])] - max) / params.temperature());
            total += weights[i];
        }
        return pick(weights, count, uniform * total);
    }

    /** Draws from all tokens, in the order of their ids: sums by blocks, then looks into the one in which the target is. */
    private int drawId(float[] values, int from, double max, double uniform) {
        double[] weights = scratch.block();
        double[] sums = scratch.sums();
        double total = 0;
        for (int block = 0; block < sums.length; block++) {
            sums[block] = total;
            total = LogSoftmax.add(weights, weigh(values, from, block, max), total);
        }
        double target = uniform * total;
        int block = sums.length - 1;
        while (sums[block] > target) {
            block--;
        }
        int count = weigh(values, from, block, max);
        double sum = sums[block];
        for (int i = 0; i < count; i++) {
            sum += weights[i];
            if (sum > target) {
                return block * LogSoftmax.BLOCK + i;
            }
        }
        return lastThatHasAWeight(values, from, max); // rounding kept the sum from passing the target
    }

    private int lastThatHasAWeight(float[] values, int from, double max) {
        for (int block = scratch.sums().length - 1; block >= 0; block--) {
            for (int i = weigh(values, from, block, max) - 1; i >= 0; i--) {
                if (scratch.block()[i] > 0) {
                    return block * LogSoftmax.BLOCK + i;
                }
            }
        }
        throw new IllegalStateException("no token has a weight: max=" + max);
    }

    /** Puts the weights of a block into the scratch; how many. */
    private int weigh(float[] values, int from, int block, double max) {
        int first = block * LogSoftmax.BLOCK;
        int count = Math.min(LogSoftmax.BLOCK, vocabularySize - first);
        scratch.kernels().exponentials(values, from + first, count, max, params.temperature(), scratch.block());
        return count;
    }

    /** Where the running sum passes the target; where rounding keeps it from passing, the last that has a weight. */
    private static int pick(double[] weights, int count, double target) {
        double sum = 0;
        int last = 0;
        for (int i = 0; i < count; i++) {
            sum += weights[i];
            if (sum > target) {
                return i;
            }
            last = weights[i] > 0 ? i : last;
        }
        return last;
    }

    private Sample withLogprobs(int token, float[] logits, int offset, double max, int top) {
        double logSum = LogSoftmax.logSumExp(scratch, logits, offset, max);
        float chosen = (float) (logits[offset + token] - logSum);
        if (top == 0) {
            return new Sample(token, chosen, NO_TOKENS, NO_LOGPROBS);
        }
        int count = Candidates.top(scratch, logits, offset, top);
        int[] ids = new int[count];
        float[] logprobs = new float[count];
        for (int i = 0; i < count; i++) {
            ids[i] = Candidates.id(scratch.keys()[i]);
            logprobs[i] = (float) (logits[offset + ids[i]] - logSum);
        }
        return new Sample(token, chosen, ids, logprobs);
    }
}

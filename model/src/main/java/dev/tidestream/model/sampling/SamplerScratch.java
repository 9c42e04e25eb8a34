package dev.tidestream.model.sampling;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Kernels;

/**
 * Space for choosing one token, up to 24 bytes per token of the vocabulary. Holds nothing between two calls, so all samplers
 * of one thread share one. Allocated when first needed: plain greedy decoding needs little.
 */
public final class SamplerScratch {
    private static final ThreadLocal<SamplerScratch> OF_THREAD = new ThreadLocal<>();

    private final int vocabularySize;
    private final Kernels kernels;
    private final float[] maxima; // (vocabulary / 64, rounded up to tiles): see Kernels.maxima
    private final float[] maximaOfMaxima;
    private float[] adjusted = {}; // (vocabulary): logits after bias and penalties
    private int[] ids = {}; // (vocabulary): what reaches a threshold
    private long[] keys = {}; // (vocabulary): candidates, see Candidates
    private double[] weights = {}; // (vocabulary): unnormalised probabilities of the candidates
    private final double[] block = new double[LogSoftmax.BLOCK];
    private double[] sums = {}; // (blocks): running sums
    private long[] maximaKeys = {}; // (maxima)

    public SamplerScratch(int vocabularySize) {
        this(vocabularySize, KernelSelection.fastest());
    }

    SamplerScratch(int vocabularySize, Kernels kernels) {
        if (vocabularySize < 1) {
            throw new IllegalArgumentException("a vocabulary has tokens: vocabulary=" + vocabularySize);
        }
        this.vocabularySize = vocabularySize;
        this.kernels = kernels;
        this.maxima = new float[maximaOf(vocabularySize)];
        this.maximaOfMaxima = new float[maximaOf(maxima.length)];
    }

    private static int maximaOf(int count) {
        return Math.ceilDiv(count, Kernels.MAXIMA_TILE) * Kernels.PARTIALS;
    }

    /** The calling thread's. */
    static SamplerScratch ofThread(int vocabularySize) {
        SamplerScratch scratch = OF_THREAD.get();
        if (scratch == null || scratch.vocabularySize != vocabularySize) {
            scratch = new SamplerScratch(vocabularySize);
            OF_THREAD.set(scratch);
        }
        return scratch;
    }

    int vocabularySize() {
        return vocabularySize;
    }

    Kernels kernels() {
        return kernels;
    }

    float[] maxima() {
        return maxima;
    }

    float[] maximaOfMaxima() {
        return maximaOfMaxima;
    }

    float[] adjusted() {
        if (adjusted.length == 0) {
            adjusted = new float[vocabularySize];
        }
        return adjusted;
    }

    int[] ids() {
        if (ids.length == 0) {
            ids = new int[vocabularySize];
        }
        return ids;
    }

    long[] keys() {
        if (keys.length == 0) {
            keys = new long[vocabularySize];
        }
        return keys;
    }

    double[] weights() {
        if (weights.length == 0) {
            weights = new double[vocabularySize];
        }
        return weights;
    }

    double[] block() {
        return block;
    }

    long[] maximaKeys() {
        if (maximaKeys.length == 0) {
            maximaKeys = new long[maxima.length];
        }
        return maximaKeys;
    }

    /** Running sums before each block. */
    double[] sums() {
        if (sums.length == 0) {
            sums = new double[Math.ceilDiv(vocabularySize, LogSoftmax.BLOCK)];
        }
        return sums;
    }
}

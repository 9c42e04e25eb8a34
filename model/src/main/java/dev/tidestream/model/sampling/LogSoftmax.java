package dev.tidestream.model.sampling;

/** Log-probabilities under the softmax of a row of the model's own logits. */
final class LogSoftmax {
    /** Exponentials that are computed in one go; their sum does not depend on it. */
    static final int BLOCK = 1024;

    private LogSoftmax() {}

    /**
     * The natural logarithm of the sum of all exponentials.
     *
     * @param max the greatest logit of the row
     */
    static double logSumExp(SamplerScratch scratch, float[] logits, int from, double max) {
        return max + StrictMath.log(sumExp(scratch, logits, from, max));
    }

    /** The sum of {@code exp(logit - max)}, in the order of the ids. */
    static double sumExp(SamplerScratch scratch, float[] logits, int from, double max) {
        int count = scratch.vocabularySize();
        double[] block = scratch.block();
        double sum = 0;
        for (int id = 0; id < count; id += BLOCK) {
            int n = Math.min(BLOCK, count - id);
            scratch.kernels().exponentials(logits, from + id, n, max, 1, block);
            sum = add(block, n, sum);
        }
        return sum;
    }

    /** The sum and what comes to it, one after the other. */
    static double add(double[] values, int count, double sum) {
        double next = sum;
        for (int i = 0; i < count; i++) {
            next += values[i];
        }
        return next;
    }
}

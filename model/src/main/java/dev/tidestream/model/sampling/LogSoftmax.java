package dev.tidestream.model.sampling;

/** Log-probabilities under the softmax of a row of the model's own logits. */
final class LogSoftmax {
    private LogSoftmax() {}

    /**
     * The natural logarithm of the sum of all exponentials.
     *
     * @param max the greatest logit of the row
     */
    static double logSumExp(float[] logits, int from, int count, double max) {
        return max + StrictMath.log(sumExp(logits, from, count, max));
    }

    /** The sum of {@code exp(logit - max)}, in the order of the ids. */
    static double sumExp(float[] logits, int from, int count, double max) {
        double sum = 0;
        for (int id = 0; id < count; id++) {
            sum += StrictMath.exp(logits[from + id] - max);
        }
        return sum;
    }
}

package dev.tidestream.server.canary;

import dev.tidestream.model.tensor.Kernels;

/**
 * How far two rows of logits are from each other.
 *
 * @param finite whether all are finite; if not, nothing else is of meaning
 * @param maxDelta largest difference of a logit
 * @param kl divergence of the other softmax from the live one's: sum of p (log p - log q), in nats
 * @param liveToken the first of the likeliest
 * @param otherToken the first of the likeliest of the other row
 */
record LogitsDistance(boolean finite, double maxDelta, double kl, int liveToken, int otherToken) {
    private static final int BLOCK = 1024;
    private static final LogitsDistance NON_FINITE = new LogitsDistance(false, 0, 0, 0, 0);

    boolean sameToken() {
        return liveToken == otherToken;
    }

    /**
     * Compares rows of {@code count} logits.
     *
     * @param live from {@code liveFrom}
     * @param other from {@code otherFrom}
     */
    static LogitsDistance of(Kernels kernels, float[] live, int liveFrom, float[] other, int otherFrom, int count) {
        double maxDelta = 0;
        int liveToken = 0;
        int otherToken = 0;
        for (int i = 0; i < count; i++) {
            float a = live[liveFrom + i];
            float b = other[otherFrom + i];
            if (!Float.isFinite(a) || !Float.isFinite(b)) {
                return NON_FINITE;
            }
            maxDelta = Math.max(maxDelta, Math.abs((double) a - b));
            liveToken = a > live[liveFrom + liveToken] ? i : liveToken;
            otherToken = b > other[otherFrom + otherToken] ? i : otherToken;
        }
        double kl = kl(kernels, live, liveFrom, live[liveFrom + liveToken], other, otherFrom, other[otherFrom + otherToken], count);
        return new LogitsDistance(true, maxDelta, kl, liveToken, otherToken);
    }

    private static double kl(
            Kernels kernels, float[] live, int liveFrom, double liveMax, float[] other, int otherFrom, double otherMax, int count) {
        double[] block = new double[Math.min(BLOCK, count)];
        double liveSum = 0;
        double otherSum = 0;
        double weighted = 0;
        for (int from = 0; from < count; from += BLOCK) {
            int length = Math.min(BLOCK, count - from);
            kernels.exponentials(live, liveFrom + from, length, liveMax, 1, block);
            for (int i = 0; i < length; i++) {
                liveSum += block[i];
                weighted += block[i] * ((double) live[liveFrom + from + i] - other[otherFrom + from + i]);
            }
            kernels.exponentials(other, otherFrom + from, length, otherMax, 1, block);
            for (int i = 0; i < length; i++) {
                otherSum += block[i];
            }
        }
        double kl = weighted / liveSum - (liveMax + StrictMath.log(liveSum)) + otherMax + StrictMath.log(otherSum);
        return Math.max(0, kl); // rounding may take it below
    }

    /** Log-probability of a token under the softmax of a row that is finite. */
    static double logprob(Kernels kernels, float[] logits, int from, int count, int token) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            max = Math.max(max, logits[from + i]);
        }
        double[] block = new double[Math.min(BLOCK, count)];
        double sum = 0;
        for (int begin = 0; begin < count; begin += BLOCK) {
            int length = Math.min(BLOCK, count - begin);
            kernels.exponentials(logits, from + begin, length, max, 1, block);
            for (int i = 0; i < length; i++) {
                sum += block[i];
            }
        }
        return logits[from + token] - max - StrictMath.log(sum);
    }
}

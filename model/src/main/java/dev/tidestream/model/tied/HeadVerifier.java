package dev.tidestream.model.tied;

import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.TiedWeightException.DimensionMismatch;

/**
 * Compares two heads of the same weights, before one takes the other's place.
 *
 * <p><b>The bound.</b> A sum of H products in float32, in whatever order and with or without fused multiply-add, is off by at most
 * {@code H u S} to first order, with {@code u = 2^-24} and {@code S = sum over k of |h[k] e[k]|} (Higham 2002, 3.1). Two such sums
 * differ by at most twice that. By Cauchy and Schwarz, {@code S <= ||h|| ||e||}, which needs no second pass over the weights per
 * hidden state and is about 1.6 times too large for values that look random. So a logit may differ by
 * {@code 2 H 2^-24 ||h|| ||e||}.
 *
 * <p><b>Float activations, always</b>, for the comparison and for the times, also in a server whose packed head takes int8
 * activations. The question is whether the new layout holds the same matrix. What int8 activations round is far more than this
 * bound, and a bound with room for it would let damage through.
 *
 * <p>No rounding error is ever taken for damage. What is reported beside it, the largest difference, is far smaller in practice
 * (measured at H = 2048: a thousandth of the bound, since errors cancel), so damage that the bound lets through, such as one wrong
 * element of common size, still shows in the number.
 */
public final class HeadVerifier {
    private static final double UNIT_ROUNDOFF = 0x1p-24;
    private static final int GRAIN_TOKENS = 256;
    private static final int MIN_TIMED_CALLS = 2;
    private static final int MAX_TIMED_CALLS = 10;
    private static final long ENOUGH_NS = 1_000_000_000;

    private HeadVerifier() {}

    /**
     * Compares all logits of some hidden states. Takes {@code 8 n V} bytes of heap meanwhile.
     *
     * @param hidden {@code (rows, H)} from offset 0
     * @param rows n, at least 1
     * @param team shares the work; may pause between ranges
     * @throws DimensionMismatch if the heads have different shapes, or there are not so many rows
     */
    public static HeadComparison compare(
            EmbeddingLayer was, EmbeddingLayer next, float[] hidden, int rows, WorkerTeam team) {
        int hiddenSize = was.hiddenSize();
        if (next.hiddenSize() != hiddenSize || next.vocabularySize() != was.vocabularySize()) {
            throw new DimensionMismatch("heads of different shapes: [%d, %d] and [%d, %d]".formatted(
                    was.vocabularySize(), hiddenSize, next.vocabularySize(), next.hiddenSize()));
        }
        if (rows < 1 || hidden.length < (long) rows * hiddenSize) {
            throw new DimensionMismatch("hidden states must be [n, %d], n at least 1: n=%d, length=%d"
                    .formatted(hiddenSize, rows, hidden.length));
        }
        Activations states = new Activations(rows, hiddenSize);
        states.reset(rows);
        System.arraycopy(hidden, 0, states.values(), 0, rows * hiddenSize);
        float[] old = new float[Math.multiplyExact(rows, was.vocabularySize())];
        float[] fresh = new float[old.length];
        was.logits(states, old, team);
        next.logits(states, fresh, team);
        Worst worst = new Worst(was, old, fresh, allowedPerNorm(hidden, rows, hiddenSize));
        team.forEachRange(was.vocabularySize(), GRAIN_TOKENS, worst::scan);
        states.reset(1);
        return new HeadComparison(worst.delta, worst.overBound, worst.nonFinite, rows,
                nanosPerRow(was, states, old, team), nanosPerRow(next, states, fresh, team));
    }

    /** What a logit of each hidden state may differ by, per length of the token's embedding. */
    private static double[] allowedPerNorm(float[] hidden, int rows, int hiddenSize) {
        double[] allowed = new double[rows];
        for (int row = 0; row < rows; row++) {
            allowed[row] = 2 * hiddenSize * UNIT_ROUNDOFF * norm(hidden, row * hiddenSize, hiddenSize);
        }
        return allowed;
    }

    private static double norm(float[] values, int offset, int length) {
        double even = 0;
        double odd = 0;
        for (int i = 0; i < length; i++) {
            double square = (double) values[offset + i] * values[offset + i];
            if ((i & 1) == 0) {
                even += square;
            } else {
                odd += square;
            }
        }
        return Math.sqrt(even + odd);
    }

    /** The fastest of a few calls, the fewer the slower they are: the first may find its kernel not compiled yet. */
    private static long nanosPerRow(EmbeddingLayer head, Activations one, float[] logits, WorkerTeam team) {
        long fastest = Long.MAX_VALUE;
        long spent = 0;
        for (int i = 0; i < MIN_TIMED_CALLS || (i < MAX_TIMED_CALLS && spent < ENOUGH_NS); i++) {
            long startNs = System.nanoTime();
            head.logits(one, logits, team);
            long nanos = System.nanoTime() - startNs;
            fastest = Math.min(fastest, nanos);
            spent += nanos;
        }
        return fastest;
    }

    /** Gathers from ranges of tokens; a maximum does not depend on their order. */
    private static final class Worst {
        private final EmbeddingLayer was;
        private final float[] old; // (rows, V)
        private final float[] fresh; // (rows, V)
        private final double[] allowedPerNorm; // (rows)
        private double delta;
        private double overBound;
        private long nonFinite;

        Worst(EmbeddingLayer was, float[] old, float[] fresh, double[] allowedPerNorm) {
            this.was = was;
            this.old = old;
            this.fresh = fresh;
            this.allowedPerNorm = allowedPerNorm;
        }

        void scan(int from, int to) {
            float[] embedding = new float[was.hiddenSize()];
            double rangeDelta = 0;
            double rangeOverBound = 0;
            long rangeNonFinite = 0;
            for (int token = from; token < to; token++) {
                was.lookup(token, embedding, 0);
                double norm = norm(embedding, 0, embedding.length);
                for (int row = 0; row < allowedPerNorm.length; row++) {
                    float a = old[row * was.vocabularySize() + token];
                    float b = fresh[row * was.vocabularySize() + token];
                    if (!Float.isFinite(a) || !Float.isFinite(b)) {
                        rangeNonFinite++;
                    } else if (a != b) {
                        double difference = Math.abs((double) a - b);
                        rangeDelta = Math.max(rangeDelta, difference);
                        rangeOverBound = Math.max(rangeOverBound, difference / (allowedPerNorm[row] * norm)); // x / 0 is infinite
                    }
                }
            }
            synchronized (this) {
                delta = Math.max(delta, rangeDelta);
                overBound = Math.max(overBound, rangeOverBound);
                nonFinite += rangeNonFinite;
            }
        }
    }
}

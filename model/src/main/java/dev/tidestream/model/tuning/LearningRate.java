package dev.tidestream.model.tuning;

/**
 * Rises in a line to its peak, then falls in half a cosine to a tenth of it.
 *
 * @param peak above 0
 * @param warmup steps until the peak
 * @param steps of the whole run
 */
public record LearningRate(double peak, int warmup, int steps) {
    private static final double END = 0.1;

    /** Of a step, counted from 1. */
    public double at(int step) {
        if (step <= warmup) {
            return peak * step / warmup;
        }
        double share = steps == warmup ? 1 : Math.min(1, (double) (step - warmup) / (steps - warmup));
        return peak * (END + (1 - END) * (1 + StrictMath.cos(StrictMath.PI * share)) / 2);
    }
}

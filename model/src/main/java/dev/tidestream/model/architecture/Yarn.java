package dev.tidestream.model.architecture;

/**
 * How YaRN stretches a rotation (Peng et al. 2023, "YaRN: Efficient Context Window Extension"): frequencies that rotate often
 * within the context of the training stay, those that rotate seldom are divided by the factor, and between them is a ramp.
 *
 * @param factor how much longer the context is than that of the training; above 0
 * @param originalContext positions of the training
 * @param betaFast rotations within those positions above which a frequency stays
 * @param betaSlow rotations below which it is divided
 */
public record Yarn(float factor, int originalContext, float betaFast, float betaSlow) {
    private static final double LEAST_RAMP = 0.001;

    public Yarn {
        if (!(factor > 0) || !Float.isFinite(factor) || originalContext < 1 || !(betaFast > 0) || !(betaSlow > 0)
                || !Float.isFinite(betaFast) || !Float.isFinite(betaSlow)) {
            throw new ModelException("constants of YaRN out of range: factor=%s, originalContext=%d, betaFast=%s, betaSlow=%s"
                    .formatted(factor, originalContext, betaFast, betaSlow));
        }
    }

    /**
     * What the frequency of a pair is multiplied by: from {@code 1 / factor} to 1.
     *
     * @param pair from 0 to {@code dimensions / 2 - 1}
     * @param dimensions elements of a head that are rotated
     * @param theta base of the frequencies
     */
    public double frequencyScale(int pair, int dimensions, double theta) {
        double low = Math.max(0, StrictMath.floor(pairThatRotates(betaFast, dimensions, theta)));
        double high = Math.min(dimensions - 1, StrictMath.ceil(pairThatRotates(betaSlow, dimensions, theta)));
        double ramp = Math.clamp((pair - low) / Math.max(LEAST_RAMP, high - low), 0, 1);
        return ramp / factor + (1 - ramp);
    }

    /** The pair, a fraction of one too, that rotates so often within the original context. */
    private double pairThatRotates(double rotations, int dimensions, double theta) {
        return dimensions * StrictMath.log(originalContext / (rotations * 2 * Math.PI)) / (2 * StrictMath.log(theta));
    }

    /** What cosines and sines are multiplied by, so that attention stays as sharp with more positions. */
    public float amplitude() {
        return (float) (1 + 0.1 * StrictMath.log(factor));
    }
}

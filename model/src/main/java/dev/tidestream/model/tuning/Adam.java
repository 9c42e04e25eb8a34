package dev.tidestream.model.tuning;

import java.util.List;

/**
 * Adam (Kingma and Ba 2015) with bias correction and no weight decay. Moments and parameters are rounded to float32 after each
 * step: so a run that is resumed from files goes on with the same bits. One thread at a time.
 */
public final class Adam {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPS = 1e-8;

    private final List<Parameter> parameters;
    private final float[][] first;
    private final float[][] second;

    /** Moments of zero. */
    public Adam(List<Parameter> parameters) {
        this.parameters = List.copyOf(parameters);
        this.first = zeros();
        this.second = zeros();
    }

    private float[][] zeros() {
        return parameters.stream().map(parameter -> new float[parameter.values().length]).toArray(float[][]::new);
    }

    /** The mean of gradients of a parameter: {@code (rows, columns)}. Written to when a run is resumed. */
    public float[] firstMoment(Parameter parameter) {
        return first[parameter.index()];
    }

    /** The mean of their squares. */
    public float[] secondMoment(Parameter parameter) {
        return second[parameter.index()];
    }

    /**
     * Changes the parameters.
     *
     * @param step counted from 1
     */
    void step(Gradients gradients, double learningRate, long step) {
        double correction1 = 1 - StrictMath.pow(BETA1, (double) step);
        double correction2 = 1 - StrictMath.pow(BETA2, (double) step);
        for (Parameter parameter : parameters) {
            double[] gradient = gradients.of(parameter);
            float[] m = firstMoment(parameter);
            float[] v = secondMoment(parameter);
            double[] values = parameter.values();
            for (int i = 0; i < values.length; i++) {
                m[i] = (float) (BETA1 * m[i] + (1 - BETA1) * gradient[i]);
                v[i] = (float) (BETA2 * v[i] + (1 - BETA2) * gradient[i] * gradient[i]);
                values[i] = (float) (values[i] - learningRate * (m[i] / correction1) / (StrictMath.sqrt(v[i] / correction2) + EPS));
            }
        }
    }
}

package dev.tidestream.model.tuning;

import java.util.List;

/** Derivatives of the loss by every parameter. One thread at a time. */
public final class Gradients {
    private final double[][] values; // by parameter: (rows, columns)

    /** All zero. */
    public Gradients(List<Parameter> parameters) {
        values = parameters.stream().map(parameter -> new double[parameter.values().length]).toArray(double[][]::new);
    }

    /** {@code (rows, columns)} of a parameter. */
    public double[] of(Parameter parameter) {
        return values[parameter.index()];
    }

    /** Adds others of the same parameters. */
    void add(Gradients other) {
        for (int i = 0; i < values.length; i++) {
            for (int j = 0; j < values[i].length; j++) {
                values[i][j] += other.values[i][j];
            }
        }
    }

    /** The root of the sum of all squares. */
    double norm() {
        double sum = 0;
        for (double[] one : values) {
            for (double value : one) {
                sum += value * value;
            }
        }
        return StrictMath.sqrt(sum);
    }

    /** Multiplies all. */
    void scale(double factor) {
        for (double[] one : values) {
            for (int i = 0; i < one.length; i++) {
                one[i] *= factor;
            }
        }
    }
}

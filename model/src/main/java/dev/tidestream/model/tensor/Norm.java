package dev.tidestream.model.tensor;

import java.util.Arrays;

/**
 * A normalisation of rows and its weights; {@link Kernels#normalise} says how it is rounded. Immutable by agreement; any thread.
 *
 * @param centred whether the mean is subtracted first (layer normalisation, Ba et al. 2016), or not (root mean square
 *         normalisation, Zhang and Sennrich 2019)
 * @param eps added to the variance, or to the mean square
 * @param size n, elements of a row
 * @param parameters (n) weights, then (n) biases if there are any
 */
public record Norm(boolean centred, float eps, int size, float[] parameters) {
    public Norm {
        if (parameters.length != size && parameters.length != 2 * size) {
            throw new IllegalArgumentException("no such norm: size=%d, parameters=%d".formatted(size, parameters.length));
        }
    }

    /** Root mean square normalisation, without biases. */
    public static Norm rms(float eps, float[] weight) {
        return new Norm(false, eps, weight.length, weight);
    }

    /** Layer normalisation, with as many biases as weights, or none. */
    public static Norm layer(float eps, float[] weight, float[] bias) {
        float[] parameters = Arrays.copyOf(weight, weight.length + bias.length);
        System.arraycopy(bias, 0, parameters, weight.length, bias.length);
        return new Norm(true, eps, weight.length, parameters);
    }

    /** Whether there are biases. */
    public boolean biased() {
        return parameters.length > size;
    }

    /** The weights, (n). */
    public float[] weight() {
        return Arrays.copyOf(parameters, size);
    }
}

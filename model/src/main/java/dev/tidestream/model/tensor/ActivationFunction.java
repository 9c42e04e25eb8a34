package dev.tidestream.model.tensor;

/** What a feed-forward layer does to each element between its matrices; {@link Kernels#activate} says how it is rounded. */
public enum ActivationFunction {
    /** {@code x * sigmoid(x)} (Elfwing et al. 2017), also called swish. */
    SILU,
    /**
     * The GELU (Hendrycks and Gimpel 2016) in the approximation with tanh, which is {@code x * sigmoid(2 * sqrt(2 / pi) *
     * (x + 0.044715 * x^3))} exactly.
     */
    GELU_TANH,
    /** {@code max(x, 0)^2} (So et al. 2021). */
    RELU_SQUARED;

    private static final double TWO_ROOTS = 1.5957691216057308; // 2 * sqrt(2 / pi)
    /** What the argument of GELU's sigmoid has of x. */
    public static final float GELU_LINEAR = (float) TWO_ROOTS;
    /** What it has of x^3. */
    public static final float GELU_CUBIC = (float) (TWO_ROOTS * 0.044715);
}

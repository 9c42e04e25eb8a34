package dev.tidestream.model.architecture;

import java.util.Locale;
import java.util.Optional;

import dev.tidestream.model.tensor.ActivationFunction;

/**
 * The feed-forward part of one layer.
 *
 * @param size F, elements between its matrices
 * @param function applied to these
 * @param gated whether they are multiplied with those of another matrix then (gated linear units, Shazeer 2020)
 * @param bias whether its matrices have a bias
 * @param innerNorm of these elements, before the last matrix
 */
public record FeedForwardPlan(int size, ActivationFunction function, boolean gated, boolean bias, Optional<NormSpec> innerNorm) {
    public FeedForwardPlan {
        Blueprint.positive("feed-forward size", size);
    }

    /** With a gate and without biases. */
    public static FeedForwardPlan gated(int size, ActivationFunction function) {
        return new FeedForwardPlan(size, function, true, false, Optional.empty());
    }

    /** With two matrices and their biases (Vaswani et al. 2017). */
    public static FeedForwardPlan plain(int size, ActivationFunction function) {
        return new FeedForwardPlan(size, function, false, true, Optional.empty());
    }

    FeedForwardPlan shrunk(int newSize) {
        return new FeedForwardPlan(newSize, function, gated, bias, innerNorm);
    }

    String words() {
        return String.format(Locale.ROOT, "%d elements, %s, %s%s%s", size, gated ? "gated" : "not gated",
                function.name().toLowerCase(Locale.ROOT).replace('_', ' '), bias ? ", with biases" : "",
                innerNorm.map(norm -> ", normed before the last matrix: " + norm.words()).orElse(""));
    }
}

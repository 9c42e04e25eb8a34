package dev.tidestream.model.architecture;

import java.util.Locale;
import java.util.Optional;

import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.tensor.ActivationFunction;

/**
 * The feed-forward part of one layer.
 *
 * @param size F, elements between its matrices
 * @param function applied to these
 * @param gated whether they are multiplied with those of another matrix then (gated linear units, Shazeer 2020)
 * @param fused whether these two matrices are one, the gate first
 * @param bias whether its matrices have a bias
 * @param innerNorm of these elements, before the last matrix
 */
public record FeedForwardPlan(int size, ActivationFunction function, boolean gated, boolean fused, boolean bias, Optional<NormSpec> innerNorm) {
    public FeedForwardPlan {
        Blueprint.positive("feed-forward size", size);
        if (fused && (!gated || bias || size % PanelLayout.ROWS != 0)) {
            throw new ModelException("a matrix of gate and values needs %d rows at least of each, in whole panels, and no bias: size=%d"
                    .formatted(PanelLayout.ROWS, size));
        }
    }

    /** With a gate and without biases. */
    public static FeedForwardPlan gated(int size, ActivationFunction function) {
        return new FeedForwardPlan(size, function, true, false, false, Optional.empty());
    }

    /** With two matrices and their biases (Vaswani et al. 2017). */
    public static FeedForwardPlan plain(int size, ActivationFunction function) {
        return new FeedForwardPlan(size, function, false, false, true, Optional.empty());
    }

    /** With one matrix for the gate and what it is multiplied with. */
    public FeedForwardPlan withFusedMatrix() {
        return new FeedForwardPlan(size, function, gated, true, bias, innerNorm);
    }

    /** With a norm of the elements between its matrices, before the last one. */
    public FeedForwardPlan withInnerNorm(NormSpec norm) {
        return new FeedForwardPlan(size, function, gated, fused, bias, Optional.of(norm));
    }

    FeedForwardPlan shrunk(int newSize) {
        return new FeedForwardPlan(newSize, function, gated, fused, bias, innerNorm);
    }

    String words() {
        return String.format(Locale.ROOT, "%d elements, %s, %s%s%s", size, gated ? "gated" : "not gated",
                function.name().toLowerCase(Locale.ROOT).replace('_', ' '), bias ? ", with biases" : "",
                innerNorm.map(norm -> ", normed before the last matrix: " + norm.words()).orElse(""));
    }
}

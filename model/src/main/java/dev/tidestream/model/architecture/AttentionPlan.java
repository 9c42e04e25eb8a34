package dev.tidestream.model.architecture;

import java.util.Locale;
import java.util.Optional;

/**
 * Causal attention of one layer.
 *
 * @param heads query heads
 * @param kvHeads key/value heads (grouped-query attention, Ainslie et al. 2023); divides {@code heads}
 * @param headDim elements per head
 * @param fused whether the matrices of queries, keys and values are one, in this order
 * @param bias whether they have a bias
 * @param outputBias whether the matrix behind attention has one
 * @param queryKeyNorm of each head of queries and keys, before they are rotated
 * @param rotation of queries and keys
 * @param window positions that a query sees at most, its own the last of them; 0 for all
 * @param scale scores are multiplied by it
 * @param softcap scores are kept within it, by tanh; 0 for not at all
 * @param innerNorm of all heads together, before the output matrix
 */
public record AttentionPlan(
        int heads,
        int kvHeads,
        int headDim,
        boolean fused,
        boolean bias,
        boolean outputBias,
        Optional<NormSpec> queryKeyNorm,
        Rotation rotation,
        int window,
        float scale,
        float softcap,
        Optional<NormSpec> innerNorm) {

    public AttentionPlan {
        Blueprint.positive("heads", heads);
        Blueprint.positive("kv heads", kvHeads);
        Blueprint.positive("head size", headDim);
        if (heads % kvHeads != 0) {
            throw new ModelException("query heads must be a multiple of kv heads: heads=%d, kvHeads=%d".formatted(heads, kvHeads));
        }
        int rotated = rotation.dimensions();
        if (rotation.pairing() != Rotation.Pairing.NONE
                && (headDim % 2 != 0 || rotated < 2 || rotated % 2 != 0 || rotated > headDim)) {
            throw new ModelException("head size and rotated size must be even: headDim=%d, ropeDim=%d".formatted(headDim, rotated));
        }
        if (window < 0 || !(scale > 0) || !Float.isFinite(scale) || !(softcap >= 0) || !Float.isFinite(softcap)) {
            throw new ModelException("constants of attention out of range: window=%d, scale=%s, softcap=%s"
                    .formatted(window, scale, softcap));
        }
    }

    /** As Vaswani et al. 2017 have it: three matrices, no bias, no norm, scores divided by the root of the head's size. */
    public static AttentionPlan of(int heads, int kvHeads, int headDim, Rotation rotation) {
        return new AttentionPlan(heads, kvHeads, headDim, false, false, false, Optional.empty(), rotation, 0,
                (float) (1 / Math.sqrt(headDim)), 0, Optional.empty());
    }

    /** With one matrix for queries, keys and values. */
    public AttentionPlan withFusedMatrix() {
        return new AttentionPlan(
                heads, kvHeads, headDim, true, bias, outputBias, queryKeyNorm, rotation, window, scale, softcap, innerNorm);
    }

    /** With a bias of queries, keys and values. */
    public AttentionPlan withBias() {
        return new AttentionPlan(
                heads, kvHeads, headDim, fused, true, outputBias, queryKeyNorm, rotation, window, scale, softcap, innerNorm);
    }

    /** With a bias behind the output matrix. */
    public AttentionPlan withOutputBias() {
        return new AttentionPlan(
                heads, kvHeads, headDim, fused, bias, true, queryKeyNorm, rotation, window, scale, softcap, innerNorm);
    }

    /** With normed heads of queries and keys. */
    public AttentionPlan withQueryKeyNorm(NormSpec norm) {
        return new AttentionPlan(
                heads, kvHeads, headDim, fused, bias, outputBias, Optional.of(norm), rotation, window, scale, softcap, innerNorm);
    }

    /** With another rotation. */
    public AttentionPlan withRotation(Rotation other) {
        return new AttentionPlan(
                heads, kvHeads, headDim, fused, bias, outputBias, queryKeyNorm, other, window, scale, softcap, innerNorm);
    }

    /** With so many positions seen; 0 for all. */
    public AttentionPlan withWindow(int positions) {
        return new AttentionPlan(
                heads, kvHeads, headDim, fused, bias, outputBias, queryKeyNorm, rotation, positions, scale, softcap, innerNorm);
    }

    /** With another scale of scores, and a cap; 0 for none. */
    public AttentionPlan withScores(float newScale, float newSoftcap) {
        return new AttentionPlan(
                heads, kvHeads, headDim, fused, bias, outputBias, queryKeyNorm, rotation, window, newScale, newSoftcap, innerNorm);
    }

    /** With a norm of all heads together, before the output matrix. */
    public AttentionPlan withInnerNorm(NormSpec norm) {
        return new AttentionPlan(
                heads, kvHeads, headDim, fused, bias, outputBias, queryKeyNorm, rotation, window, scale, softcap, Optional.of(norm));
    }

    /** Elements of all query heads. */
    public int queryDim() {
        return heads * headDim;
    }

    /** Elements of all key (or value) heads. */
    public int kvDim() {
        return kvHeads * headDim;
    }

    /** With fewer heads. */
    AttentionPlan shrunk(int newKvHeads) {
        return new AttentionPlan(heads / kvHeads * newKvHeads, newKvHeads, headDim, fused, bias, outputBias, queryKeyNorm, rotation,
                window, scale, softcap, innerNorm);
    }

    String words() {
        StringBuilder words = new StringBuilder(String.format(Locale.ROOT, "%d query head%s and %d key/value head%s of %d elements, %s",
                heads, heads == 1 ? "" : "s", kvHeads, kvHeads == 1 ? "" : "s", headDim, rotation.words(headDim)));
        if (bias || outputBias) {
            words.append(bias && outputBias ? ", biases everywhere" : bias ? ", bias of queries, keys and values" : ", bias of the output");
        }
        queryKeyNorm.ifPresent(norm -> words.append(", queries and keys normed per head: ").append(norm.words()));
        innerNorm.ifPresent(norm -> words.append(", normed before the output matrix: ").append(norm.words()));
        words.append(window == 0 ? "" : ", a window of " + window + " positions");
        words.append(softcap == 0 ? "" : ", scores capped at " + softcap);
        return words.toString();
    }
}

package dev.tidestream.model.architecture;

import java.util.Optional;

/**
 * One layer: attention, then feed-forward, each between a norm and the sum with its input.
 *
 * @param before norm of what goes into either part
 * @param after norm of what comes out of either part, before it is added
 */
public record LayerPlan(NormSpec before, Optional<NormSpec> after, AttentionPlan attention, FeedForwardPlan feedForward) {

    /** Without norms behind its parts. */
    public LayerPlan(NormSpec before, AttentionPlan attention, FeedForwardPlan feedForward) {
        this(before, Optional.empty(), attention, feedForward);
    }
}
